"""Many random networks against PyTorch, for as long as one likes.

    python tests/numeric/random_graphs.py --count 5000 --target host --seed 0

Networks are compiled many at a time. Those that fail are compiled again alone, and told with the
command that runs one of them; then it goes on. `arm64` runs in the emulator, `vulkan` on the first
device there is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from numeric.cases import Array, Branches, Case, Tensors, another, difference, listed, reference
from numeric.random_networks import random_network

import niwaki
from niwaki.runtime.emulate import Missing, emulator
from niwaki.targets import get_target

TOGETHER, LENGTH = 20, 6


def random_graph(seed: int, number: int, length: int = LENGTH) -> Case:
    """One of the networks of a seed, whatever the others are."""
    return random_network(np.random.default_rng([seed, number]), length)


def problems(cases: Sequence[Case], target: str, folder: Path) -> list[str]:
    """For each case what is wrong with its results, empty if nothing is."""
    first = [case.inputs for case in cases]
    runs = [first, [tuple(map(another, inputs)) for inputs in first]]
    outputs = results(cases, runs, target, folder)
    found = [""] * len(cases)
    for inputs, run in zip(runs, outputs, strict=True):
        for i, (case, given) in enumerate(zip(cases, inputs, strict=True)):
            wanted = reference(case.model, given)
            told = [difference(run.pop(0), expected, case.tolerance) for expected in wanted]
            found[i] = found[i] or next(filter(None, told), "")
    return found


def results(
    cases: Sequence[Case], runs: Sequence[Sequence[Tensors]], target: str, folder: Path
) -> list[list[Array]]:
    """The outputs of all cases, one after the other, for each list of inputs."""
    path, inputs = folder / "graphs.niwaki", tuple(x for case in cases for x in case.inputs)
    bundle = niwaki.compile(Branches(cases).eval(), inputs, target=target, output=path)
    arrays = [[x.numpy().copy() for given in run for x in given] for run in runs]
    if "aarch64" in get_target(target).architecture:
        arm64 = emulator(fetch=True)
        if isinstance(arm64, Missing):
            raise SystemExit(arm64.reason)
        return [arm64.run_bundle(path, given) for given in arrays]
    network = bundle.load(threads=1)
    return [[y for result in network(*given) for y in listed(result)] for given in arrays]


def alone(case: Case, target: str) -> str:
    """What is wrong with one network: its results, or that it is not compiled."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return problems([case], target, Path(folder))[0]
        except Exception as error:  # whatever it is, the other networks are to be tried
            return f"{type(error).__name__}: {error}"


def failures(seed: int, numbers: range, length: int, target: str) -> list[str]:
    """For each network that fails how to run it alone, what is wrong, and what it is."""
    cases = [random_graph(seed, number, length) for number in numbers]
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = problems(cases, target, Path(folder))
        except Exception as error:
            found = [alone(case, target) for case in cases]
            if not any(found):
                told = f"{type(error).__name__}: {error}"
                return [f"{options(seed, numbers, length, target)}: all together: {told}"]
    return [
        f"{options(seed, range(number, number + 1), length, target)}: {problem}\n    {case.name}"
        for number, case, problem in zip(numbers, cases, found, strict=True)
        if problem
    ]


def options(seed: int, numbers: range, length: int, target: str) -> str:
    """Of the command that runs these networks."""
    which = f"--seed {seed} --first {numbers.start} --count {len(numbers)}"
    return f"{which} --length {length} --target {target}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare random networks with PyTorch.")
    parser.add_argument("--count", type=int, default=200, help="networks to try")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--seed", type=int, default=0, help="others for each seed")
    parser.add_argument("--length", type=int, default=LENGTH, help="steps of a network")
    parser.add_argument("--target", default="host")
    chosen = parser.parse_args()
    failed, end = 0, chosen.first + chosen.count
    for start in range(chosen.first, end, TOGETHER):
        numbers = range(start, min(start + TOGETHER, end))
        told = failures(chosen.seed, numbers, chosen.length, chosen.target)
        failed += len(told)
        print(*told, f"{numbers.stop - chosen.first} tried, {failed} failed", sep="\n", flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
