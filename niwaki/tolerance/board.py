"""A network that has each layer in both types, and a switch for each."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from niwaki.progress import Progress

from .distance import Outputs, errors
from .examples import Array, Examples
from .rehearsal import Network

# Calls that tell what each layer costs alone: with all examples there would be as many a layer.
FEW = 8


class Board:
    """What narrowing some layers does to the results.

    Attributes:
        wanted: the outputs of each call where no layer is narrow.
    """

    def __init__(
        self, run: Network, examples: Examples, names: Sequence[str], progress: Progress
    ) -> None:
        self._run, self._names, self._progress = run, names, progress
        self._calls = examples.calls
        self.wanted = self._outputs([False] * len(names), self._calls)
        self.error = functools.cache(self._error)
        self.error_alone = functools.cache(self._error_alone)

    def _error(self, narrow: tuple[bool, ...]) -> float:
        """The error of the worst output where these layers are narrow."""
        self._progress.layer(f"{sum(narrow)} of {len(narrow)} layers")
        return max(errors(self._outputs(narrow, self._calls), self.wanted))

    def _error_alone(self, number: int) -> float:
        """The same where one layer is, in the first calls."""
        self._progress.layer(f"{number + 1}/{len(self._names)} {self._names[number]}")
        narrow = [number == one for one in range(len(self._names))]
        calls = self._calls[:FEW]
        return max(errors(self._outputs(narrow, calls), self.wanted[:FEW]))

    def _outputs(self, narrow: Sequence[bool], calls: Sequence[Sequence[Array]]) -> list[Outputs]:
        switches = np.array(narrow, np.int32)
        return [self._run([*inputs, switches]) for inputs in calls]
