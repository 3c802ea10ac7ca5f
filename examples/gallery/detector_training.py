"""What the detector learns from scenes: which places of its maps speak for a thing, and the loss.

A thing is that of the places around its middle, on the coarse map if it is large. The score of its
class is to be how well the box there fits, which ranks boxes (quality focal loss,
https://arxiv.org/abs/2006.04388); boxes learn by generalised intersection over union
(https://arxiv.org/abs/1902.09630). A network that is pruned learns from the dense one, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from gallery.clothes import Scene, Studio
from gallery.detector_network import CLASSES, SIDES, STRIDES, boxes_at, places
from torch import Tensor, nn
from torch.nn import functional

LARGE = 64  # pixels of the longer side of a thing from which on it is the coarse map's
NEAR = 1.5  # strides from a thing's middle to a place of its own, at most
CROWD = 12  # things of a scene, at most: more are learnt from as many pixels
BOX_WEIGHT = 2.0
TAUGHT_WEIGHT = 1.0


class Targets(NamedTuple):
    """For each place of a batch of scenes.

    Attributes:
        boxes: of its thing [N, P, 4].
        labels: of that [N, P]; `CLASSES` where it has none.
        taught: what a teacher says [N, SIDES + CLASSES, P]; empty without one.
    """

    boxes: Tensor
    labels: Tensor
    taught: Tensor


@dataclass(frozen=True)
class SceneBatches:
    """Batches of new scenes, and what places should say of them."""

    studio: Studio
    size: int
    batch: int
    steps: int
    teacher: nn.Module | None = None

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[tuple[Tensor, Targets]]:
        middles, strides = places(self.size, self.size)
        for _ in range(self.steps):
            # PyTorch's random numbers, so that a training that was stopped sees the same scenes.
            seeds = torch.randint(2**62, (self.batch,)).tolist()
            scenes = [self.studio.scene(seed, self.size, CROWD) for seed in seeds]
            images = as_input(np.stack([scene.image for scene in scenes]))
            boxes, labels = zip(*(assigned(one, middles, strides) for one in scenes), strict=True)
            with torch.no_grad():
                taught = self.teacher(images).float() if self.teacher else torch.empty(0)
            yield images, Targets(torch.stack(boxes), torch.stack(labels), taught)


def as_input(images: np.ndarray) -> Tensor:
    """Images uint8 ``[N, H, W, 3]`` as the network takes them."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255


def assigned(scene: Scene, middles: Tensor, strides: Tensor) -> tuple[Tensor, Tensor]:
    """For each place the box ``[P, 4]`` and class ``[P]`` of its thing, the smallest of several."""
    boxes, labels = torch.from_numpy(scene.boxes), torch.from_numpy(scene.labels)
    sizes = boxes[:, 2:] - boxes[:, :2]
    own_stride = torch.where(sizes.amax(1) < LARGE, *map(float, STRIDES))
    far = (middles[:, None] - (boxes[:, :2] + boxes[:, 2:]) / 2).abs()  # [P, things, (x, y)]
    near = (far < NEAR * own_stride[:, None]) & (far < sizes / 2)
    mine = near.all(2) & (strides[:, None] == own_stride)
    areas = torch.where(mine, sizes.prod(1), torch.inf)
    thing = areas.argmin(1)
    return boxes[thing], torch.where(mine.any(1), labels[thing], CLASSES)


def loss(told: Tensor, targets: Sequence[Tensor]) -> Tensor:
    """Of what places say ``[N, SIDES + CLASSES, P]``, for each place that has a thing."""
    told, targets = told.float(), Targets(*targets)
    middles, strides = places(*_sides(told.shape[2]))
    has_thing = targets.labels < CLASSES
    boxes = boxes_at(told[:, :SIDES], middles, strides)[has_thing]
    fit, generalised = overlaps(boxes, targets.boxes[has_thing])
    logits = told[:, SIDES:].transpose(1, 2)
    wanted = torch.zeros_like(logits)
    classes = functional.one_hot(targets.labels[has_thing], CLASSES)
    wanted[has_thing] = classes * fit.detach()[:, None]
    total = focal(logits, wanted) + BOX_WEIGHT * (1 - generalised).sum()
    if len(targets.taught):
        taught = targets.taught
        sure = taught[:, SIDES:].transpose(1, 2).sigmoid()
        far = (told - taught)[:, :SIDES].transpose(1, 2)[has_thing].abs().sum()
        total = total + TAUGHT_WEIGHT * (focal(logits, sure) + far)
    return total / has_thing.sum().clamp(min=1)


def focal(logits: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy to wanted shares, most where they are far from what is said."""
    entropy = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    return (entropy * (logits.sigmoid() - wanted).square()).sum()


def overlaps(some: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Intersection over union of pairs of boxes ``[N, 4]``, and the generalised one."""
    firsts, lasts = (torch.stack((some[:, part], others[:, part]))
                     for part in (slice(2), slice(2, 4)))  # fmt: skip
    both = _area(firsts.amax(0), lasts.amin(0))
    around = _area(firsts.amin(0), lasts.amax(0))
    either = _area(some[:, :2], some[:, 2:]) + _area(others[:, :2], others[:, 2:]) - both
    fit = both / either
    return fit, fit - (around - either) / around


def _area(first: Tensor, last: Tensor) -> Tensor:
    return (last - first).clamp(min=0).prod(1)


def _sides(count: int) -> tuple[int, int]:
    """Of a square image whose maps have so many places."""
    side = round((count / sum(stride**-2 for stride in STRIDES)) ** 0.5)
    return side, side
