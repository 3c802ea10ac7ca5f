"""What pictures have in common to the eye: Johnson's perceptual losses, by a small network.

The network learned to tell CIFAR-10's things apart, or clothes that a program drew. The style of a
picture is how often features of a stage come together, its content is where features are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from data_sets import (
    CIFAR_DEVIATION,
    CIFAR_MEAN,
    MovedImages,
    has_cifar10,
    normalised,
    read_cifar10,
)
from gallery.application import Work
from gallery.studio import close_ups, studio
from gallery.training import Budget, trained
from torch import Tensor, nn
from torch.nn import functional

WIDTHS = (32, 64, 128, 128)
CLASSES, BATCH = 10, 128
DRAWN = 100  # batches of things where CIFAR-10 is not at hand
BUDGET = Budget(epochs=1, steps=200, learning_rate=3e-3)
CONTENT_STAGE = 2  # deep enough that strokes may differ, not so deep that things may
STYLE_WEIGHT, SMOOTH_WEIGHT, OUTSIDE_WEIGHT = 4.0, 4.0, 20.0


class FeatureNetwork(nn.Module):
    """Stages of two convolutions; each halves the image before the next."""

    def __init__(self) -> None:
        super().__init__()
        channels = (3, *WIDTHS[:-1])
        self.stages = nn.ModuleList(
            nn.Sequential(*_layer(before, width), *_layer(width, width))
            for before, width in zip(channels, WIDTHS, strict=True)
        )
        self.classes = nn.Linear(WIDTHS[-1], CLASSES)

    def features(self, x: Tensor) -> list[Tensor]:
        """Of each stage."""
        found = []
        for number, stage in enumerate(self.stages):
            x = stage(functional.avg_pool2d(x, 2) if number else x)
            found.append(x)
        return found

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.classes(self.features(x)[-1].mean((2, 3)))
        return scores


def _layer(channels: int, filters: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU()]


def feature_network(work: Work) -> nn.Module:
    """Trained to tell the things of `_things`, in eval mode."""
    images, labels = map(torch.from_numpy, _things(work))

    def batches(steps: int) -> MovedImages:
        return MovedImages(
            images[: steps * BATCH],
            labels[: steps * BATCH].long(),
            BATCH,
            shift=4,
            normalise=lambda part: normalised(part, CIFAR_MEAN, CIFAR_DEVIATION),
        )

    network = trained(work, "features", FeatureNetwork(), batches, functional.cross_entropy, BUDGET)
    return network.requires_grad_(False)


def _things(work: Work) -> tuple[np.ndarray, np.ndarray]:
    """CIFAR-10, or drawn ones: images uint8 ``[N, 3, 32, 32]`` and labels ``[N]``."""
    if work.data is not None and has_cifar10(work.data):
        return read_cifar10(work.data, "train")
    return close_ups(studio(work.data, "train"), work.share(DRAWN) * BATCH)


class PerceptualLoss:
    """How far images are from the content of others and from the style of one.

    Each part is a share of what it is compared with, so that stages count alike.
    """

    def __init__(self, network: FeatureNetwork, style: Tensor) -> None:
        self.network = network
        with torch.no_grad():
            self.grams = [gram(one) for one in self._features(style)]

    def __call__(self, images: Tensor, contents: Tensor) -> Tensor:
        images = images.float()
        found = self._features(images)
        with torch.no_grad():
            wanted = self._features(contents)[CONTENT_STAGE]
        content = share(found[CONTENT_STAGE], wanted)
        style = sum(
            (share(gram(one), wanted) for one, wanted in zip(found, self.grams, strict=True)),
            torch.zeros(()),
        )
        outside = (images - images.clamp(0, 1)).abs().mean()
        style = STYLE_WEIGHT * style / len(self.grams)
        return content + style + SMOOTH_WEIGHT * rough(images) + OUTSIDE_WEIGHT * outside

    def _features(self, images: Tensor) -> Sequence[Tensor]:
        mean, deviation = (
            torch.tensor(values).reshape(1, -1, 1, 1) for values in (CIFAR_MEAN, CIFAR_DEVIATION)
        )
        return [one.float() for one in self.network.features((images - mean) / deviation)]


def gram(features: Tensor) -> Tensor:
    """Mean products of each pair of channels, ``[N, C, C]``."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def share(found: Tensor, wanted: Tensor) -> Tensor:
    """How large differences are beside what is wanted: a mean over images of quotients of norms."""
    away = (found - wanted).flatten(1).norm(dim=1)
    return (away / wanted.flatten(1).norm(dim=1)).mean()


def rough(images: Tensor) -> Tensor:
    """Mean difference of neighbouring pixels."""
    down, right = images.diff(dim=2).abs().mean(), images.diff(dim=3).abs().mean()
    return down + right
