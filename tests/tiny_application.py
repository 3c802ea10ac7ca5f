"""An application that trains nothing: a convolution, and the same with zeros."""

from __future__ import annotations

import numpy as np
import torch
from gallery.application import Application, Judged, Picture, Work
from in_turns import Answer
from torch import Tensor, nn

FILM_FRAMES = 3


def prepare(work: Work) -> None:
    (work.folder / "trained").write_text(str(work.share(100)))


def make(work: Work, pruned: bool) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(1)
    network = nn.Conv2d(8, 16, 3, padding=1).eval()
    if pruned:
        with torch.no_grad():
            network.weight[:, 1:] = 0
    return network, torch.rand(1, 8, 12, 12)


def judge(work: Work, dense: Answer, pruned: Answer) -> Judged:
    example = make(work, False)[1].numpy()
    grey = np.full((20, 30, 3), 128, np.uint8)
    film = np.stack([grey + 10 * n for n in range(FILM_FRAMES)]).astype(np.uint8)
    outputs = [f"{float(np.abs(answer(example)).sum()):.3f}" for answer in (dense, pruned)]
    return Judged(
        [("sum", outputs[0], outputs[1])], [Picture("still", grey), Picture("moving", film)]
    )


def tiny() -> Application:
    return Application(
        "tiny", "A tiny one", "It does <nothing>.", "channel", 8, prepare, make, judge
    )
