"""A small residual network for Fashion-MNIST, with its checkpoints and test images.

`niwaki compile examples/fashion_mnist.py:make` calls `make`. The checkpoints come from
`train_fashion_mnist.py`; `data/README.md` says how well they do.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

DATA = Path(__file__).resolve().parent / "data"
DENSE_CHECKPOINT = DATA / "fashion_mnist_dense.safetensors"
PRUNED_CHECKPOINT = DATA / "fashion_mnist_pruned.safetensors"
CONTROL_CHECKPOINT = DATA / "fashion_mnist_control.safetensors"
TEST_IMAGES = DATA / "fashion_mnist_test_1000.npz"

CLASSES = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "boot",
)

# Mean and standard deviation of the 60,000 training images, scaled to [0, 1].
MEAN, DEVIATION = 0.2860, 0.3530


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, added to their input.

    Where they change its shape, a 1x1 convolution adapts the input.
    """

    def __init__(self, channels: int, filters: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or channels != filters:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, filters, 1, stride, bias=False), nn.BatchNorm2d(filters)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class FashionNet(nn.Module):
    """ResNet with four blocks: 28x28x16 -> 14x14x32 -> 7x7x64 (twice) -> 4x4x128 -> 10 logits.

    Every width is a multiple of 8, the block of filters that the network is pruned in.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(BasicBlock(16, 32, stride=2))
        self.layer2 = nn.Sequential(BasicBlock(32, 64, stride=2), BasicBlock(64, 64))
        self.layer3 = nn.Sequential(BasicBlock(64, 128, stride=2))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        logits: Tensor = self.fc(self.pool(x).flatten(1))
        return logits


def load_network(checkpoint: Path) -> FashionNet:
    """The network with the weights of `checkpoint`, in eval mode."""
    network = FashionNet()
    network.load_state_dict(load_file(checkpoint))
    return network.eval()


def make() -> tuple[FashionNet, tuple[Tensor]]:
    """The pruned network and an example input (one real image): what `niwaki compile` asks for."""
    return load_network(PRUNED_CHECKPOINT), _example_input()


def make_dense() -> tuple[FashionNet, tuple[Tensor]]:
    """The network before pruning, and an example input."""
    return load_network(DENSE_CHECKPOINT), _example_input()


def normalise(images: np.ndarray) -> np.ndarray:
    """Grey images uint8 [N, 28, 28] as the network takes them.

    That is float32 [N, 1, 28, 28] with mean 0 and deviation 1 over the training images.
    """
    scaled = (images.astype(np.float32) / 255 - MEAN) / DEVIATION
    return scaled.astype(np.float32)[:, None]


def load_test_images() -> tuple[np.ndarray, np.ndarray]:
    """The first 1,000 test images, normalised, and their labels.

    Returns:
        float32 [1000, 1, 28, 28] and int64 [1000].
    """
    with np.load(TEST_IMAGES) as archive:
        return normalise(archive["images"]), archive["labels"].astype(np.int64)


def _example_input() -> tuple[Tensor]:
    images, _ = load_test_images()
    return (torch.from_numpy(images[:1]),)
