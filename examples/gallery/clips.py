"""Clips of the gallery: what does a shape do? A small R(2+1)D tells, trained on drawn clips."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from gallery.application import Application, Judged, Picture, Work
from gallery.clips_drawn import ACTIONS, clip
from gallery.clips_network import FRAMES, ClipNet
from gallery.training import DENSE, PRUNED, Budget, kept, trained
from in_turns import Answer
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from niwaki.pruning import Distillation, PruningConfig

SCHEME, RATE = "block_punched", 8.0
BATCH = 8
DENSE_BUDGET, PRUNED_BUDGET = Budget(6, 50, 2e-3), Budget(5, 50, 1e-3)
TESTED, FIRST_TEST = 500, 1_000_000  # clips, and the seed of the first
LARGER = 3  # times, in pictures


@dataclass(frozen=True)
class ClipBatches:
    """Batches of new clips."""

    batch: int
    steps: int

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for _ in range(self.steps):
            # PyTorch's random numbers, so that a training that was stopped sees the same clips.
            seeds = torch.randint(2**62, (self.batch,)).tolist()
            frames, actions = zip(*map(clip, seeds), strict=True)
            yield as_input(np.stack(frames)), torch.tensor(actions)


def as_input(clips: np.ndarray) -> Tensor:
    """Clips uint8 ``[N, FRAMES, H, W, 3]`` as the network takes them."""
    return torch.from_numpy(clips).permute(0, 4, 1, 2, 3).float() / 255


def loss(logits: Tensor, actions: Tensor) -> Tensor:
    return functional.cross_entropy(logits.float(), actions, label_smoothing=0.05)


def prepare(work: Work) -> None:
    batches = partial(ClipBatches, BATCH)
    dense = trained(work, DENSE, ClipNet(len(ACTIONS)), batches, loss, DENSE_BUDGET)
    trained(
        work, PRUNED, dense, batches, loss, PRUNED_BUDGET,
        config=PruningConfig(SCHEME, RATE), method="gradual", distillation=Distillation(),
    )  # fmt: skip


def make(work: Work, pruned: bool) -> tuple[nn.Module, Tensor]:
    frames, _ = clip(FIRST_TEST)
    network = kept(work, PRUNED if pruned else DENSE, ClipNet(len(ACTIONS)))
    return network, as_input(frames[None])


def judge(work: Work, dense: Answer, pruned: Answer) -> Judged:
    clips = [clip(FIRST_TEST + number) for number in range(work.share(TESTED))]
    inputs = [as_input(frames[None]).numpy() for frames, _ in clips]
    actions = [action for _, action in clips]
    told = [np.array([int(run(one).argmax()) for one in inputs]) for run in (dense, pruned)]
    right = [f"{(one == actions).mean():.1%}" for one in told]
    same = f"{(told[0] == told[1]).mean():.1%}"
    rows = [("clips told right", right[0], right[1]), ("told as by the dense network", "", same)]
    firsts = [actions.index(action) for action in sorted(set(actions))]
    return Judged(rows, [strip(*clips[n], *(int(one[n]) for one in told)) for n in firsts])


def strip(frames: np.ndarray, action: int, dense: int, pruned: int) -> Picture:
    """Every second frame of a clip side by side, and what the networks say of it."""
    shown = np.concatenate(list(frames[:: FRAMES // 4]), 1)
    height, width, _ = shown.shape
    large = Image.fromarray(shown).resize((width * LARGER, height * LARGER))
    return Picture(
        f"{ACTIONS[action]}; dense: {ACTIONS[dense]}, pruned: {ACTIONS[pruned]}", np.asarray(large)
    )


CLIPS = Application(
    name="clips",
    title="Actions in clips",
    summary="Tells what a shape does in a clip of eight frames: moves, turns, grows or shrinks. "
    "The network is an R(2+1)D, whose 3-D convolutions are parted into one within frames "
    "and one across them. Clips are drawn by a program, those to test with from other "
    "random numbers.",
    scheme=SCHEME,
    rate=RATE,
    prepare=prepare,
    make=make,
    judge=judge,
)
