"""Boxes ``[N, (left, top, right, bottom)]``: how far they overlap, and the best of many alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Found:
    """Things in an image.

    Attributes:
        boxes: float32 [N, 4].
        labels: their classes [N].
        scores: how sure a network is of each [N].
    """

    boxes: Floats
    labels: Integers
    scores: Floats

    def __getitem__(self, chosen: npt.NDArray[np.bool_] | Integers) -> Found:
        return Found(self.boxes[chosen], self.labels[chosen], self.scores[chosen])


def ious(some: Floats, others: Floats) -> Floats:
    """Intersection over union of each of some ``[N, 4]`` with each of others ``[M, 4]``."""
    corners = np.maximum(some[:, None, :2], others[:, :2])
    sides = (np.minimum(some[:, None, 2:], others[:, 2:]) - corners).clip(0)
    both = sides.prod(-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(-1) for boxes in (some, others)]
    either = areas[0][:, None] + areas[1] - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0)


def suppressed(found: Found, most: float, across_classes: bool = False) -> Found:
    """Without those that overlap a surer one of their class by more than `most`; surest first.

    Args:
        across_classes: a surer one of another class counts, too.
    """
    order = np.argsort(-found.scores, kind="stable")
    found = found[order]
    rivals = ious(found.boxes, found.boxes) > most
    if not across_classes:
        rivals &= found.labels[:, None] == found.labels
    stays = np.ones(len(order), bool)
    for number in range(len(order)):
        if stays[number]:
            stays[number + 1 :] &= ~rivals[number, number + 1 :]
    return found[stays]
