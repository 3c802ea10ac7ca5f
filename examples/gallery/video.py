"""The film of the gallery: the detector's network on frame after frame, boxes and all."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from gallery import detector
from gallery.application import Application, Judged, Picture, Work
from gallery.average_precision import mean_average_precision
from gallery.detector import SHOWN_SCORE, SIZE, detections, look, shown
from gallery.film import film
from gallery.studio import studio
from in_turns import Answer
from PIL import Image
from torch import Tensor, nn

FRAMES, SEED = 48, 2_000_000
SHOWN = 240  # pixels of a frame in the picture


def of_detector(work: Work) -> Work:
    """The detector's own, where its networks are kept."""
    return replace(work, folder=work.folder.with_name(detector.DETECTOR.name))


def prepare(work: Work) -> None:
    of_detector(work).folder.mkdir(parents=True, exist_ok=True)
    detector.prepare(of_detector(work))


def make(work: Work, pruned: bool) -> tuple[nn.Module, Tensor]:
    return detector.make(of_detector(work), pruned)


def judge(work: Work, dense: Answer, pruned: Answer) -> Judged:
    scenes = list(film(studio(work.data, "test"), SEED, SIZE, max(2, work.share(FRAMES))))
    true = [(scene.boxes, scene.labels) for scene in scenes]
    found = [[look(run, scene.image) for scene in scenes] for run in (dense, pruned)]
    scores = [100 * mean_average_precision(one, true) for one in found]
    frames = []
    for scene, *both in zip(scenes, *found, strict=True):
        pair = Image.fromarray(np.concatenate([shown(scene.image, one) for one in both], 1))
        frames.append(np.asarray(pair.resize((2 * SHOWN, SHOWN), Image.Resampling.LANCZOS)))
    rows = [
        ("frames", *(str(len(scenes)),) * 2),
        ("mAP at IoU 0.5, %", f"{scores[0]:.1f}", f"{scores[1]:.1f}"),
    ]
    return Judged(rows, [Picture("dense left, pruned right", np.stack(frames))])


VIDEO = Application(
    name="video",
    title="Detector on a film",
    summary="The same detector on a film that a program draws. Times are those of a frame from its "
    "pixels to its boxes, with what finds the boxes in the network's output.",
    scheme=detector.SCHEME,
    rate=detector.RATE,
    prepare=prepare,
    make=make,
    judge=judge,
    finish=partial(detections, least=SHOWN_SCORE),
)
