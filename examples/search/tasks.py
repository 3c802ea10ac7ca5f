"""Networks that searches begin with: trained ones, and data to go on with.

    fashion     the demo's residual network, Fashion-MNIST
    mobilenet   a MobileNetV2 of four inverted residuals, Fashion-MNIST at half its size
    resnet20    CIFAR-10

The demo's network is trained already. The others are trained when they are first asked for, within
some six minutes of one core; a training that is killed goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(FOLDER), str(FOLDER / "networks")]

import torch  # noqa: E402 - what follows lies in these folders
from cifar_resnet import CifarResNet  # noqa: E402
from data_sets import (  # noqa: E402
    CIFAR_DEVIATION,
    CIFAR_MEAN,
    MovedImages,
    normalised,
    read_cifar10,
    read_fashion_mnist,
)
from fashion_mnist import DENSE_CHECKPOINT, DEVIATION, MEAN, FashionNet  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from small_mobilenet import SmallMobileNet  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from niwaki.pruning import PruningConfig, prune  # noqa: E402

BATCH, TEST_BATCH = 128, 500
RATE = 0.1  # of learning, at the start of dense training


@dataclass(frozen=True)
class Task:
    """A network and its data.

    Attributes:
        make: the network, with PyTorch's initial weights.
        read: images uint8 [N, C, H, W] and labels of a split, from the folder of all data sets.
        normalise: makes of images what the network takes.
        shift: pixels that images to train on are moved by, at most.
        epochs: of dense training.
        half: compute in bfloat16 while training, where that is faster.
        weights: of the trained network; None: trained here.
    """

    make: Callable[[], nn.Module]
    read: Callable[[Path, str], tuple[Tensor, Tensor]]
    normalise: Callable[[Tensor], Tensor]
    shift: int
    epochs: int = 0
    half: bool = False
    weights: Path | None = None

    def batches(self, data: Path, images: int | None = None) -> MovedImages:
        """The first images to train on."""
        found, labels = (part[:images] for part in self.read(data, "train"))
        return MovedImages(found, labels, min(BATCH, len(found)), self.shift, self.normalise)

    def test(self, data: Path) -> tuple[Tensor, Tensor]:
        """All inputs of the test, and their labels."""
        images, labels = self.read(data, "test")
        return self.normalise(images), labels

    def training(self) -> AbstractContextManager[Any]:
        """What training is done in."""
        # Weights change in each step, so that none may stay in a cache.
        return torch.autocast("cpu", torch.bfloat16, enabled=self.half, cache_enabled=False)

    def trained(self, data: Path, file: Path) -> nn.Module:
        """The network, from the file if it is there; else trained and written."""
        torch.manual_seed(0)
        network, file = self.make(), self.weights or file
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            with self.training():
                network = prune(
                    network, self.batches(data), config=PruningConfig("unstructured", 1),
                    method="magnitude", epochs=self.epochs, loss=loss, optimizer=sgd(RATE),
                    checkpoint=file.with_suffix(".ckpt"),
                )  # fmt: skip
            save_file(network.state_dict(), file)
        network.load_state_dict(load_file(file))
        return network.eval()


def fashion_mnist(data: Path, split: str) -> tuple[Tensor, Tensor]:
    prefix = {"train": "train", "test": "t10k"}[split]
    images, labels = read_fashion_mnist(data / "fashion-mnist", prefix)
    return torch.tensor(images)[:, None], torch.tensor(labels, dtype=torch.int64)


def cifar10(data: Path, split: str) -> tuple[Tensor, Tensor]:
    images, labels = read_cifar10(data, split)
    return torch.tensor(images), torch.tensor(labels, dtype=torch.int64)


def sgd(rate: float) -> Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]:
    """With Nesterov's momentum, and weight decay for all parameters."""
    return partial(torch.optim.SGD, lr=rate, momentum=0.9, nesterov=True, weight_decay=5e-4)


def loss(outputs: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(outputs.float(), labels)


@torch.inference_mode()
def accuracy(network: nn.Module, test: tuple[Tensor, Tensor]) -> float:
    """Share of inputs whose largest score is at their label."""
    network.eval()
    right = (
        network(inputs).argmax(1) == labels
        for inputs, labels in zip(*(part.split(TEST_BATCH) for part in test), strict=True)
    )
    return float(torch.cat(list(right)).double().mean())


GREY = partial(normalised, means=(MEAN,), deviations=(DEVIATION,))
COLOURED = partial(normalised, means=CIFAR_MEAN, deviations=CIFAR_DEVIATION)

TASKS = {
    "fashion": Task(FashionNet, fashion_mnist, GREY, 2, weights=DENSE_CHECKPOINT),
    "mobilenet": Task(partial(SmallMobileNet, 3), fashion_mnist, GREY, 2, epochs=2),
    "resnet20": Task(CifarResNet, cifar10, COLOURED, 4, epochs=4, half=True),
}
