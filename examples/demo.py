"""A really pruned network, compiled and run: what `make demo` shows.

    python examples/demo.py

Compiles the Fashion-MNIST network for this machine, runs it on all 1,000 shipped test images,
compares every prediction with PyTorch's, times both, and runs the same network for arm64 and Vulkan
where the machine can.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fashion_mnist import load_test_images, make, make_dense
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

import niwaki
from niwaki.errors import NiwakiError
from niwaki.runtime.emulate import Missing, emulator

Array = NDArray[Any]
Network = Callable[[Array], Array]

BUILD = Path("build")
IMAGES_PER_TURN = 20
OTHER_TARGET_IMAGES = 5  # each start of the emulator costs a fraction of a second


@dataclass
class Result:
    """What running a network on all images gave: logits [N, 10] and the median time of a call."""

    logits: Array
    milliseconds: float


def run_all(networks: Mapping[str, Network], images: Array) -> dict[str, Result]:
    """Run each network on all images at batch 1, a few images each in turn.

    Taking turns lets what else the machine does hit all of them alike; a turn is long enough that
    a network's weights are in the cache, as they are where only one network runs.
    """
    logits: dict[str, list[Array]] = {name: [] for name in networks}
    times: dict[str, list[float]] = {name: [] for name in networks}
    for first in range(0, len(images), IMAGES_PER_TURN):
        for name, network in networks.items():
            for image in images[first : first + IMAGES_PER_TURN]:
                started = time.perf_counter()
                result = network(image[None])
                times[name].append(time.perf_counter() - started)
                logits[name].append(result)
    return {
        name: Result(np.concatenate(logits[name]), statistics.median(times[name]) * 1e3)
        for name in networks
    }


def in_pytorch(module: torch.nn.Module) -> Network:
    """The module as a function from numpy to numpy."""

    def call(image: Array) -> Array:
        with torch.inference_mode():
            result: Array = module(torch.from_numpy(image)).numpy()
        return result

    return call


def results_table(results: Mapping[str, Result], labels: Array) -> Table:
    """Accuracy and latency of each way to run the network; speed-up over the first of them."""
    title = f"Fashion-MNIST, {len(labels):,} test images one by one, one thread"
    caption = "PyTorch runs layer by layer; benchmarks/ has other compilers"
    table = Table("network", title=title, caption=caption)
    for column in ("accuracy", "median latency", "speed-up"):
        table.add_column(column, justify="right")
    baseline = next(iter(results.values())).milliseconds
    for name, result in results.items():
        correct = float((result.logits.argmax(1) == labels).mean())
        latency = result.milliseconds
        table.add_row(name, f"{correct:.1%}", f"{latency:.3f} ms", f"{baseline / latency:.1f}x")
    return table


def compare(name: str, compiled: Array, expected: Array) -> bool:
    """Say how far a compiled network is from PyTorch, and whether all predictions agree."""
    same = int((compiled.argmax(1) == expected.argmax(1)).sum())
    difference = float(np.abs(compiled - expected).max())
    print(
        f"{name}: {same:,} of {len(expected):,} predictions as in PyTorch, "
        f"logits differ by at most {difference:.1e}"
    )
    return same == len(expected)


def on_arm64(images: Array) -> Array | Missing:
    """Logits from the network compiled for arm64, under QEMU."""
    found = emulator(fetch=True)
    if isinstance(found, Missing):
        return found
    path = BUILD / "fashion_mnist-arm64.niwaki"
    niwaki.compile(*make(), target="arm64", output=path)
    return np.concatenate([found.run_bundle(path, [image[None]])[0] for image in images])


def on_vulkan(images: Array) -> Array | Missing:
    """Logits from the network compiled for Vulkan, on whichever driver this machine has."""
    path = BUILD / "fashion_mnist-vulkan.niwaki"
    niwaki.compile(*make(), target="vulkan", output=path)
    try:
        network = niwaki.load(path)
    except NiwakiError as error:
        return Missing(str(error))
    return np.concatenate([network(image[None]) for image in images])


def main() -> int:
    torch.set_num_threads(1)
    BUILD.mkdir(exist_ok=True)
    images, labels = load_test_images()
    dense, example = make_dense()
    pruned, _ = make()

    started = time.perf_counter()
    path = BUILD / "fashion_mnist.niwaki"
    bundle = niwaki.compile(pruned, example, target="host", output=path)
    print(f"Compiled for this machine in {time.perf_counter() - started:.1f} s")
    dense_path = BUILD / "fashion_mnist-dense.niwaki"
    niwaki.compile(dense, example, target="host", output=dense_path)

    networks: dict[str, Network] = {
        "dense, PyTorch": in_pytorch(dense),
        "dense, compiled": niwaki.load(dense_path, threads=1),
        "pruned, PyTorch": in_pytorch(pruned),
        "pruned, compiled": niwaki.load(path, threads=1),
    }
    results = run_all(networks, images)
    Console().print(results_table(results, labels))
    agrees = True
    for name in ("dense", "pruned"):
        compiled, expected = results[f"{name}, compiled"], results[f"{name}, PyTorch"]
        agrees &= compare(f"{name}, compiled", compiled.logits, expected.logits)
    print(f"\n{bundle.report()}\n")

    print("The same network on other targets:")
    few, expected = images[:OTHER_TARGET_IMAGES], results["pruned, PyTorch"]
    for target, run in {"arm64": on_arm64, "vulkan": on_vulkan}.items():
        logits = run(few)
        if isinstance(logits, Missing):
            print(f"  {target}: not run: {logits.reason}")
            continue
        agrees &= compare(f"  {target}", logits, expected.logits[: len(few)])

    print(f"\nBundle: {path} ({path.stat().st_size / 1e3:.0f} kB)")
    if not agrees:
        print("FAILED: a compiled network predicts something else than PyTorch")
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
