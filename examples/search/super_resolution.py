"""Which WDSR makes the best images twice as large in so many milliseconds?

    niwaki search examples/search/super_resolution.py --target-ms 40 --trials 200 --workers auto
    python examples/search/super_resolution.py --data FOLDER --target-ms 40 --seeds 0 1 2

After 2108.08910 and 2207.12577: blocks, their channels and how each is pruned are searched, then
rates of pruning. Shared weights are trained first; a trial takes its part of them, prunes it, and
trains it on for some steps. Times are those of 640x360 pixels that become 1280x720.

The second command does all of it, trains the best few of what was found to the end, since trials do
not tell these apart, keeps the one that makes the best of the images that trials are judged by, and
compares it with WDSRs made by hand: in Niwaki and in ONNX Runtime, on Set5 and Set14. `FOLDER`, or
NIWAKI_DATA, has images as examples/image_pairs.py says. What is trained and measured is kept in
`build/super_resolution`, from where a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(FOLDER), str(FOLDER / "networks")]

import torch  # noqa: E402 - what follows lies in these folders
from data_sets import data_folder  # noqa: E402
from image_pairs import Pair, read_pairs  # noqa: E402
from in_turns import Answer, in_onnxruntime, milliseconds  # noqa: E402
from mistakes import above, at_least, in_one_line  # noqa: E402
from search.super_resolution_costs import (  # noqa: E402
    SMALL_IMAGE,
    NetworkCosts,
    network_costs,
)
from search.super_resolution_networks import (  # noqa: E402
    LARGE,
    SCALE,
    WIDE,
    Block,
    Sizes,
    drawn,
    rates_space,
    sizes_of,
    space,
    with_rates,
)
from search.super_resolution_training import (  # noqa: E402
    fit,
    fit_shared,
    heir,
    quality,
    start_as_bicubic,
)
from torch import nn  # noqa: E402

import niwaki  # noqa: E402
from niwaki.atomic import atomic_file  # noqa: E402
from niwaki.studies import Limit, Point, Results  # noqa: E402

WORK = Path("build", "super_resolution")
HELD_OUT = 8  # of so many images to train on, one judges trials
# At which trials learn, and networks that are kept; pruned ones end 0.15 dB lower with 5e-3.
TRIAL_RATE, KEPT_RATE = 4e-3, 3e-3
# Networks that share weights take so much of the target, pruned at the rate they begin with.
ABOUT = 0.5, 1.3
FOUND = "found"
CALLS = 20  # that are timed
HAND_MADE = re.compile(r"([AB])([1-9]\d*)x([1-9]\d*)(?:-([1-9]\d*)x)?")
COMPARED = ["A16x1", "A16x2", "A16x3-8x", "B16x2"]
WIDER = {"A": 4, "B": 6}  # times as many channels between the layers of blocks by hand


@dataclass(frozen=True)
class Steps:
    """How long networks are trained: shared weights, a trial, one that is to be kept."""

    shared: int = 6000
    trial: int = 150
    kept: int = 13000


@dataclass(frozen=True)
class Lab:
    """What trials need.

    Attributes:
        shared: the network whose parts are all others.
        pairs: images to train on.
        held_out: images that trials are judged by.
    """

    shared: nn.Module
    pairs: Sequence[Pair]
    held_out: Sequence[Pair]
    costs: NetworkCosts
    steps: Steps

    def train(self, point: Point) -> nn.Module:
        """The network of a point, with shared weights that are trained on."""
        return self.tried(sizes_of(point))

    def tried(self, sizes: Sizes) -> nn.Module:
        torch.set_num_threads(1)  # results then do not depend on the number of cores
        torch.manual_seed(0)
        return fit(heir(self.shared, sizes), sizes, self.pairs, self.steps.trial, rate=TRIAL_RATE)

    def evaluate(self, network: nn.Module) -> dict[str, float]:
        found = quality(network, self.held_out)
        return {"PSNR": found[0], "SSIM": found[1]}

    def milliseconds(self, point: Point) -> dict[str, float]:
        return self.costs.parts(sizes_of(point))

    def describe(self, point: Point) -> list[tuple[str, str, float]]:
        """The blocks of a network, for the page."""
        sizes = sizes_of(point)
        return [
            (f"block{n}", f"{sizes.width} to {block}", block.wide / WIDE[-1])
            for n, block in enumerate(sizes.blocks, 1)
        ]

    def search(self, target_ms: float | None, **options: Any) -> Results:
        limit = Limit("ms", target_ms, self.milliseconds)
        return niwaki.search(space(), self.train, self.evaluate, [limit], **options)


@dataclass(frozen=True)
class Rates:
    """The search of rates, once blocks are chosen."""

    lab: Lab
    sizes: Sizes

    def train(self, point: Point) -> nn.Module:
        return self.lab.tried(with_rates(self.sizes, point))

    def milliseconds(self, point: Point) -> dict[str, float]:
        return self.lab.costs.parts(with_rates(self.sizes, point))

    def search(self, target_ms: float, **options: Any) -> Sizes:
        """The same blocks with the best rates; as they are where none is pruned."""
        wanted = rates_space(self.sizes)
        if not wanted:
            return self.sizes
        limit = Limit("ms", target_ms, self.milliseconds)
        results = niwaki.search(wanted, self.train, self.lab.evaluate, [limit], **options)
        return with_rates(self.sizes, results.best.point)


def make_lab(
    pairs: Sequence[Pair],
    work: Path,
    costs: NetworkCosts,
    target_ms: float | None = None,
    steps: Steps = Steps(),
) -> Lab:
    """Train the shared weights for networks about the target, or read those that are in `work`."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    held_out = pairs[::HELD_OUT]
    rest = [pair for n, pair in enumerate(pairs) if n % HELD_OUT]
    file = work / (f"shared-{target_ms:g}.pt" if target_ms else "shared.pt")
    if not file.exists():
        generator = random.Random(0)

        def draw() -> Sizes:
            while True:
                sizes = drawn(generator)
                ms = sum(costs.parts(sizes).values())
                if target_ms is None or ABOUT[0] <= ms / target_ms <= ABOUT[1]:
                    return sizes

        with atomic_file(file) as kept:
            torch.save(fit_shared(rest, steps.shared, draw).state_dict(), kept)
    shared = LARGE.build()
    shared.load_state_dict(torch.load(file))
    return Lab(shared.eval(), rest, held_out, costs, steps)


def setup(target_ms: float | None = None) -> dict[str, Any]:
    """What `niwaki search` asks for; without a target it looks for the whole front."""
    lab = _from_folder(data_folder(), WORK, target_ms)
    return {
        "space": space(),
        "train": lab.train,
        "evaluate": lab.evaluate,
        "limits": [Limit("ms", target_ms, lab.milliseconds)],
        "describe": lab.describe,
    }


def _from_folder(data: Path, work: Path, target_ms: float | None) -> Lab:
    work.mkdir(parents=True, exist_ok=True)
    costs = network_costs(work / "costs.json")
    return make_lab(read_pairs(data, "T91", SCALE), work, costs, target_ms)


def searched(
    lab: Lab, target_ms: float, trials: int, seed: int, work: Path, workers: int | str, count: int
) -> list[Sizes]:
    """Blocks first, then rates of the `count` best, a quarter as many trials for each."""
    kept = f"{target_ms:g}-{seed}.sqlite"
    options: dict[str, Any] = {"seed": seed, "workers": workers}
    found = lab.search(target_ms, trials=trials, storage=work / f"blocks-{kept}", **options)
    rated = []
    for number, blocks in enumerate(leaders(found, count), 1):
        storage = work / f"rates-{number}-{kept}"
        rates = Rates(lab, blocks)
        one = rates.search(target_ms, trials=max(1, trials // 4), storage=storage, **options)
        print(f"seed {seed}: {one}, {sum(lab.costs.parts(one).values()):.1f} ms", flush=True)
        rated.append(one)
    return rated


def leaders(results: Results, count: int) -> list[Sizes]:
    """The networks of the best trials within the limit; points may tell of the same one."""
    allowed = [trial for trial in results.done if trial.allowed]
    ranked = sorted(allowed, key=lambda trial: trial.objective, reverse=True)
    return list(dict.fromkeys(sizes_of(trial.point) for trial in ranked))[:count]


def winner(lab: Lab, finalists: Sequence[Sizes], seed: int, work: Path) -> nn.Module:
    """Of networks that are all trained to the end the one that makes the best held-out images."""
    best, most = None, -math.inf
    for number, sizes in enumerate(finalists, 1):
        network = trained(lab, f"{FOUND}-{number}", sizes, seed, work)
        score, _ = quality(network, lab.held_out)
        print(f"seed {seed}: {sizes}: {score:.2f} dB of held-out images", flush=True)
        if score > most:
            best, most = network, score
    assert best is not None, "at least one"
    return best


def by_hand(text: str) -> Sizes:
    """Kind, channels, blocks and the rate of pruning, if any: ``B16x2``, ``A16x3-8x``.

    Channels between the layers of blocks are as many as in the paper.
    """
    kind, width, blocks, rate = HAND_MADE.fullmatch(text).groups()  # type: ignore[union-attr]
    pruned = ("block_punched", float(rate)) if rate else ()
    return Sizes(int(width), (Block(WIDER[kind] * int(width), *pruned),) * int(blocks), kind)


def trained(lab: Lab, name: str, sizes: Sizes, seed: int, work: Path) -> nn.Module:
    """A network to keep; it begins anew, since from shared weights it ends no better."""
    torch.manual_seed(seed)
    start = start_as_bicubic(sizes.build())
    method = "gradual" if rates_space(sizes) else "magnitude"
    file = work / f"{name}-{seed}.ckpt"
    steps = lab.steps.kept
    return fit(start, sizes, lab.pairs, steps, rate=KEPT_RATE, method=method, checkpoint=file)


def report(
    networks: Mapping[str, Sequence[nn.Module]], tests: Mapping[str, Sequence[Pair]], work: Path
) -> None:
    """Print the quality of networks, means over seeds, and the times of their first."""
    answers: dict[tuple[str, str], Answer] = {}
    example = torch.rand(SMALL_IMAGE)
    for name, (network, *_) in networks.items():
        path = work / f"{name}.niwaki"
        niwaki.compile(network, example, output=path)
        answers[name, "Niwaki"] = niwaki.load(path)
        if other := in_onnxruntime(network.to(memory_format=torch.contiguous_format), example):
            answers[name, "ONNX Runtime"] = other
    times = milliseconds(list(answers.values()), [example.numpy()] * CALLS)
    for (name, engine), ms in zip(answers, times, strict=True):
        print(f"{name}, {engine} | {ms:.1f} ms")
    for name, seeds in networks.items():
        for test, pairs in tests.items():
            scores = [quality(network, pairs) for network in seeds]
            told = ", ".join(f"{one[0]:.2f}" for one in scores)
            print(f"{name} | {test} | PSNR {told} | SSIM {scores[0][1]:.4f}")


def made_by_hand(text: str) -> str:
    """An option that `by_hand` understands."""
    if not HAND_MADE.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"A or B, channels x blocks, and a rate if pruned, as B16x2 or A16x3-8x, not {text}"
        )
    return text


@in_one_line()
def main() -> None:
    parser = argparse.ArgumentParser(description="Search a WDSR within a time.")
    parser.add_argument("--data", type=Path, help="folder of data sets; or NIWAKI_DATA")
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--target-ms", type=above(0), default=40)
    parser.add_argument("--trials", type=at_least(1), default=200)
    parser.add_argument("--workers", default=1)
    parser.add_argument("--seeds", type=at_least(0), nargs="+", default=[0])
    parser.add_argument("--finalists", type=at_least(1), default=3, help="trained to the end")
    parser.add_argument(
        "--hand-made", type=made_by_hand, nargs="+", default=COMPARED,
        help="to compare with: kind of WDSR, channels x blocks, rate if pruned",
    )  # fmt: skip
    options = parser.parse_args()
    data, work = data_folder(options.data), options.work
    tests = {name: read_pairs(data, name, SCALE) for name in ("Set5", "Set14")}
    lab = _from_folder(data, work, options.target_ms)
    made = {f"by-hand-{text}": by_hand(text) for text in options.hand_made}
    networks: dict[str, list[nn.Module]] = {FOUND: [], **{name: [] for name in made}}
    for seed in options.seeds:
        found = searched(
            lab, options.target_ms, options.trials, seed, work, options.workers, options.finalists
        )
        networks[FOUND].append(winner(lab, found, seed, work))
        for name, sizes in made.items():
            networks[name].append(trained(lab, name, sizes, seed, work))
    report(networks, tests, work)


if __name__ == "__main__":
    main()
