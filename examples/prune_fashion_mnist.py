"""Prune the trained demo network with `niwaki.prune`, and retrain it on a part of Fashion-MNIST.

    python examples/prune_fashion_mnist.py --data FOLDER_WITH_THE_FOUR_IDX_GZ_FILES

It takes one to two minutes on one core, with any scheme and method. `niwaki prune
examples/prune_fashion_mnist.py:setup` does the same, with the folder in the environment variable
FASHION_MNIST. With `--costs TARGET` and the method search the rate is one of time on the target.
"""

from __future__ import annotations

import argparse
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from data_sets import read_fashion_mnist
from fashion_mnist import DENSE_CHECKPOINT, load_network, load_test_images
from mistakes import in_one_line
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from train_fashion_mnist import accuracy, save, tensors

import niwaki
from niwaki.errors import NiwakiError
from niwaki.pruning import PruningConfig

BATCH = 128


def evaluate(network: nn.Module) -> float:
    """Accuracy on the 1,000 test images that are part of the repository."""
    images, labels = load_test_images()
    return accuracy(network, torch.from_numpy(images), torch.from_numpy(labels))


def setup(folder: Path | None = None, images: int = 6000) -> dict[str, Any]:
    """The arguments of `niwaki.prune` that say what is trained, and on what."""
    named = folder or os.environ.get("FASHION_MNIST")
    if not named:
        raise NiwakiError("no data: name the folder of the four files in FASHION_MNIST")
    all_images = tensors(*read_fashion_mnist(Path(named), "train"))
    data = TensorDataset(*(values[:images] for values in all_images))
    return {
        "model": load_network(DENSE_CHECKPOINT),
        "train_loader": DataLoader(data, BATCH, shuffle=True, drop_last=True),
        "eval": evaluate,
    }


def costs_of(network: nn.Module, target: str | None) -> AbstractContextManager[Any]:
    """What layers cost for one image, by the compiler's estimates; None without a target."""
    if target is None:
        return nullcontext()
    from niwaki.costs.price import priced  # needs the compiler, as pruning does not

    image = torch.from_numpy(load_test_images()[0][:1])
    return priced(network, image, target=target, source="estimate")


@in_one_line()
def main() -> None:
    parser = argparse.ArgumentParser(description="Prune the demo network.")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of the original Fashion-MNIST idx.gz files"
    )
    parser.add_argument("--images", type=int, default=6000, help="how many to train on")
    parser.add_argument("--scheme", default="pattern")
    parser.add_argument("--rate", type=float, default=8.0, help="weights / kept weights")
    parser.add_argument("--method", default="admm")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--output", type=Path, help="a .safetensors file to write")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--all-tests", action="store_true", help="test on all 10,000 test images")
    parser.add_argument("--costs", metavar="TARGET", help="by whose costs the method search goes")
    options = parser.parse_args()

    torch.set_num_threads(1)  # results then do not depend on the number of cores
    torch.manual_seed(options.seed)
    arguments = setup(options.data, options.images)
    print(f"dense: {evaluate(arguments['model']):.1%}")
    with costs_of(arguments["model"], options.costs) as costs:
        pruned = niwaki.prune(
            **arguments,
            config=PruningConfig(options.scheme, options.rate, costs=costs),
            method=options.method,
            epochs=options.epochs,
        )
    print(f"pruned: {evaluate(pruned):.1%}")
    if options.all_tests:
        images, labels = tensors(*read_fashion_mnist(options.data, "t10k"))
        print(f"pruned, all test images: {accuracy(pruned, images, labels):.2%}")
    if options.output is not None:
        save(pruned, options.output)


if __name__ == "__main__":
    main()
