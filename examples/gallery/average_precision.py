"""Mean average precision: how well a detector finds things, and nothing else.

Of each class all boxes of all images are gone through, the surest first. One is right if it
overlaps a thing of its class, which no surer one has taken, by `least` at least. Precision is the
share of right ones so far, recall the share of things that were found; the area below precision
over recall, which is made to fall only, is the class's average precision (as PASCAL VOC 2010 and
COCO have it, https://arxiv.org/abs/1405.0312).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from gallery.boxes import Floats, Found, Integers, ious

Truth = tuple[Floats, Integers]  # boxes and labels of the things in an image


def mean_average_precision(
    found: Sequence[Found], true: Sequence[Truth], least: float = 0.5
) -> float:
    """Mean over the classes of which there is a thing.

    Args:
        found: in each image.
        true: in each image.
        least: intersection over union of a box with its thing.
    """
    classes = np.unique(np.concatenate([labels for _, labels in true]))
    return float(np.mean([average_precision(found, true, int(one), least) for one in classes]))


def average_precision(
    found: Sequence[Found], true: Sequence[Truth], label: int, least: float = 0.5
) -> float:
    """Of one class, of which there is a thing."""
    scores, right = [], []
    for one, (boxes, labels) in zip(found, true, strict=True):
        told = one[one.labels == label]
        told = told[np.argsort(-told.scores, kind="stable")]
        scores.append(told.scores)
        right.append(matched(told.boxes, boxes[labels == label], least))
    order = np.argsort(-np.concatenate(scores), kind="stable")
    hits = np.concatenate(right)[order].cumsum()
    if not len(hits):
        return 0.0
    things = sum(int((labels == label).sum()) for _, labels in true)
    precision = hits / np.arange(1, len(hits) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float((falling * np.diff(hits / things, prepend=0)).sum())


def matched(told: Floats, things: Floats, least: float) -> npt.NDArray[np.bool_]:
    """Which boxes of an image, the surest first, have a thing of their own."""
    overlaps = ious(told, things)
    right = np.zeros(len(told), bool)
    for number, row in enumerate(overlaps):
        if len(row) and row.max() >= least:
            right[number] = True
            overlaps[:, row.argmax()] = -1  # taken
    return right
