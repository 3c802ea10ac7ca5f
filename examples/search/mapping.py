"""Scheme mapping beside single schemes at one rate, all within the same measured time.

    python examples/search/mapping.py --data FOLDER_WITH_THE_FOUR_IDX_GZ_FILES --ms 0.05

The demo's network, Fashion-MNIST. Accuracies are of all 10,000 test images.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(FOLDER))

import torch  # noqa: E402 - what follows lies in this folder
from data_sets import read_fashion_mnist  # noqa: E402
from mistakes import in_one_line  # noqa: E402
from prune_fashion_mnist import setup  # noqa: E402
from torch import nn  # noqa: E402
from train_fashion_mnist import accuracy, tensors  # noqa: E402

import niwaki  # noqa: E402
from niwaki.costs.price import MEASURE, priced  # noqa: E402
from niwaki.layer_costs import LayerCosts, Setting  # noqa: E402
from niwaki.network_time import Timer, timer  # noqa: E402
from niwaki.pruning import PruningConfig, prune, select  # noqa: E402

SINGLE = ("block_punched", "block_punched(filters=4)", "unstructured", "pattern")
METHOD = "gradual"
WITHIN, ROUNDS, MOST_RATE = 0.03, 5, 64.0


def single_rate(
    model: nn.Module, scheme: str, limit: float, costs: LayerCosts, seconds_of: Timer
) -> tuple[float, float]:
    """The rate at which one scheme for all layers takes `limit` seconds, and what it takes."""
    aim = limit
    for _ in range(ROUNDS):
        low, high = 1.01, MOST_RATE
        for _ in range(20):
            rate = math.sqrt(low * high)
            low, high = (
                (low, rate)
                if costs.network(settings(model, scheme, rate, costs)) <= aim
                else (rate, high)
            )
        seconds = seconds_of(
            prune(model, config=PruningConfig(scheme, high), method="magnitude", progress=False)
        )
        if (1 - WITHIN) * limit <= seconds <= limit:
            break
        aim *= (1 - WITHIN / 2) * limit / seconds
    return high, seconds


def settings(
    model: nn.Module, scheme: str, rate: float, costs: LayerCosts
) -> Mapping[str, Setting]:
    """Of the layers that are pruned so."""
    names = [target.layer.name for target in select(model, PruningConfig(scheme, rate))]
    return {name: Setting(scheme, rate) for name in names if name in costs.layers}


@in_one_line()
def main() -> None:
    parser = argparse.ArgumentParser(description="Compare mapped schemes with single ones.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the idx.gz files")
    parser.add_argument("--ms", type=float, default=0.05, help="what a call may take")
    parser.add_argument("--images", type=int, default=10000, help="how many to train on")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()

    torch.set_num_threads(1)
    arguments = setup(options.data, options.images)
    test = tensors(*read_fashion_mnist(options.data, "t10k"))
    model, batches = arguments["model"].eval(), arguments["train_loader"]
    call = batches.dataset[0][0][None]
    with (
        priced(model, call) as costs,
        timer(call, "host", MEASURE, "f32", costs) as seconds_of,
    ):
        print(f"dense: {1e3 * seconds_of(model):.4f} ms, {accuracy(model, *test):.2%}")
        rates = {
            scheme: single_rate(model, scheme, 1e-3 * options.ms, costs, seconds_of)
            for scheme in SINGLE
        }
    for seed in range(options.seeds):
        for mapping in ("search", "rules"):
            torch.manual_seed(seed)
            limited = niwaki.prune_within(
                model, batches, target_ms=options.ms, mapping=mapping, method=METHOD,
                epochs=options.epochs, progress=False,
            )  # fmt: skip
            told = f"{1e3 * limited.seconds[1]:.4f} ms, {accuracy(limited.model, *test):.2%}"
            print(f"seed {seed}, mapping by {mapping}: {told}")
        for scheme, (rate, seconds) in rates.items():
            torch.manual_seed(seed)
            pruned = prune(
                model, batches, config=PruningConfig(scheme, rate), method=METHOD,
                epochs=options.epochs, progress=False,
            )  # fmt: skip
            told = f"{1e3 * seconds:.4f} ms, {accuracy(pruned, *test):.2%}"
            print(f"seed {seed}, {scheme} {rate:.1f}x: {told}")


if __name__ == "__main__":
    main()
