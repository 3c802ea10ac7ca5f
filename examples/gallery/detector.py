"""The detector of the gallery: things of Fashion-MNIST in scenes that a program draws.

The things to test with are others than those to train on (studio.py).
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from fashion_mnist import DENSE_CHECKPOINT, load_network
from gallery.application import Application, Judged, Picture, Work
from gallery.average_precision import mean_average_precision
from gallery.boxes import Found, suppressed
from gallery.boxes_drawn import with_boxes
from gallery.clothes import NAMES, Bytes, Scene
from gallery.detector_network import SIDES, Detector, boxes_at, places, start_from
from gallery.detector_training import SceneBatches, as_input, loss
from gallery.studio import studio
from gallery.training import DENSE, PRUNED, Budget, kept, trained
from in_turns import Answer
from torch import Tensor, nn

from niwaki.pruning import PruningConfig

SIZE = 320
SCHEME, RATE = "block_punched", 8.0
THINNED = "thinned"  # the network between two trainings
# What speaks is small, and so is what sees first.
LEFT_DENSE = ("stem.0", "fine.1", "coarse.1")
TRAIN_SIZE, BATCH = 192, 8
DENSE_BUDGET, PRUNED_BUDGET = Budget(10, 80, 2e-3), Budget(8, 80, 1e-3)
RETRAINED_BUDGET = Budget(14, 80, 2e-3)
TESTED, FIRST_TEST = 300, 1_000_000  # scenes, and the seed of the first
LEAST_SCORE, SHOWN_SCORE, ALIKE = 0.02, 0.35, 0.5
CANDIDATES = 150  # places of an image that boxes are made of, the surest: a thing has nine
PICTURES = 4


def prepare(work: Work) -> None:
    batches = partial(SceneBatches, studio(work.data, "train"), TRAIN_SIZE, BATCH)
    start = start_from(Detector(), load_network(DENSE_CHECKPOINT))
    dense = trained(work, DENSE, start, batches, loss, DENSE_BUDGET)
    taught = partial(batches, teacher=dense)
    config = PruningConfig(SCHEME, RATE, exclude=LEFT_DENSE)
    thinned = trained(
        work, THINNED, dense, taught, loss, PRUNED_BUDGET, config=config, method="gradual"
    )
    # The weights that are largest are those that there are.
    trained(work, PRUNED, thinned, taught, loss, RETRAINED_BUDGET, config=config)


def make(work: Work, pruned: bool) -> tuple[nn.Module, Tensor]:
    scene = studio(None, "test").scene(FIRST_TEST, SIZE)
    return kept(work, PRUNED if pruned else DENSE, Detector()), as_input(scene.image[None])


def detections(told: np.ndarray, least: float = LEAST_SCORE) -> Found:
    """What a network says of one image ``[1, SIDES + CLASSES, P]``, each thing once.

    Args:
        least: score of a box.
    """
    said = torch.from_numpy(told[0])
    scores, labels = said[SIDES:].sigmoid().max(0)
    seen = scores.topk(CANDIDATES).indices
    seen = seen[scores[seen] > least]
    middles, strides = places(SIZE, SIZE)
    boxes = boxes_at(said[:SIDES, seen], middles[seen], strides[seen]).clamp(0, SIZE)
    return suppressed(Found(boxes.numpy(), labels[seen].numpy(), scores[seen].numpy()), ALIKE)


def look(run: Answer, image: np.ndarray) -> Found:
    """The things in an image uint8 ``[SIZE, SIZE, 3]``."""
    return detections(run(as_input(image[None]).numpy()))


def judge(work: Work, dense: Answer, pruned: Answer) -> Judged:
    drawn = studio(work.data, "test")
    scenes = [drawn.scene(FIRST_TEST + n, SIZE) for n in range(work.share(TESTED))]
    rows = []
    found = {name: [look(run, scene.image) for scene in scenes]
             for name, run in ((DENSE, dense), (PRUNED, pruned))}  # fmt: skip
    true = [(scene.boxes, scene.labels) for scene in scenes]
    for least in (0.5, 0.75):
        scores = [100 * mean_average_precision(one, true, least) for one in found.values()]
        rows.append((f"mAP at IoU {least:g}, %", f"{scores[0]:.1f}", f"{scores[1]:.1f}"))
    pairs = zip(scenes[:PICTURES], *found.values(), strict=False)
    return Judged(rows, [beside(*pair) for pair in pairs])


def beside(scene: Scene, dense: Found, pruned: Found) -> Picture:
    """A scene with the boxes that each network found, the dense one's left."""
    halves = [shown(scene.image, one) for one in (dense, pruned)]
    there = ", ".join(NAMES[label] for label in scene.labels)
    return Picture(f"{there}; dense left, pruned right", np.concatenate(halves, 1))


def shown(image: Bytes, found: Found) -> Bytes:
    """The image with the boxes that a network is sure of, one for each thing."""
    sure = found[found.scores > SHOWN_SCORE]
    return with_boxes(image, suppressed(sure, ALIKE, across_classes=True), NAMES)


DETECTOR = Application(
    name="detector",
    title="Detector",
    summary="Finds ten kinds of clothes in images of 320x320 pixels and says where they are. It "
    "was trained on scenes that a program draws of Fashion-MNIST's images, and is tested "
    "with clothes that it has not seen.",
    scheme=SCHEME,
    rate=RATE,
    prepare=prepare,
    make=make,
    judge=judge,
)
