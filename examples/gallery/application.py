"""What an application of the gallery is: a network to train, prune and judge by pictures.

`applications.py` lists them, `run.py` trains, compiles, times and judges each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from in_turns import Answer
from torch import Tensor, nn


@dataclass(frozen=True)
class Work:
    """Where an application is made, and with what.

    Attributes:
        folder: of its own; trained networks are kept there.
        data: folder of all data sets; None where there is none. Applications use what they find
            there, and draw the rest.
        effort: share of the training, and of the tests, that results are published with.
        tell: prints a line.
    """

    folder: Path
    data: Path | None = None
    effort: float = 1.0
    tell: Callable[[str], None] = print

    def share(self, count: int) -> int:
        """Of so many steps, epochs or tests those that are made: at least one."""
        return max(1, round(count * self.effort))

    def has(self, name: str) -> bool:
        """Whether the folder of data sets has this file or folder."""
        return self.data is not None and (self.data / name).exists()


@dataclass(frozen=True)
class Picture:
    """An image uint8 ``[height, width, 3]``, or the frames ``[N, height, width, 3]`` of a film."""

    caption: str
    pixels: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Judged:
    """How good the networks are.

    Attributes:
        rows: what was measured, of the dense network, of the pruned one: all as they are shown.
        pictures: what the networks do, the dense one beside the pruned one.
    """

    rows: Sequence[tuple[str, str, str]]
    pictures: Sequence[Picture]


def untouched(output: np.ndarray) -> np.ndarray:
    return output


@dataclass(frozen=True)
class Application:
    """A use of a network.

    Attributes:
        name: of its folder, and to choose it by.
        title: as a heading.
        summary: what it does, what it was trained on; sentences.
        scheme: of pruning.
        rate: all weights / kept weights of pruned layers.
        prepare: trains the dense and the pruned network, unless the folder has them.
        make: the dense or the pruned network in eval mode, and an example input.
        judge: the networks as functions of an input of that shape, the dense one and the pruned.
        finish: what the application does with an output, boxes from a map, say. It is timed, too.
    """

    name: str
    title: str
    summary: str
    scheme: str
    rate: float
    prepare: Callable[[Work], None]
    make: Callable[[Work, bool], tuple[nn.Module, Tensor]]
    judge: Callable[[Work, Answer, Answer], Judged]
    finish: Callable[[np.ndarray], Any] = untouched
