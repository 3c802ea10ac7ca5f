"""What fills up shorter inputs so that results do not change: found by trying the network itself.

    length 21                            ids, mask                      y
    length 32, filled up with 0 and 0    ids 0..., mask 0...            y, and something behind it
                                                                        the same y: taken

A network that has no way to tell padding from what counts, as a mean over all places, gives another
result whatever it is filled up with. Then it is refused: no bundle is silently wrong.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki.errors import NiwakiError
from niwaki.padding import ZERO, fillings, pad, resized
from niwaki.signature import Signature

from .trial_inputs import unmasked

Array = npt.NDArray[Any]
Network = Callable[[Sequence[Array]], list[Array]]
# Inputs, and what the network makes of them.
Run = tuple[Sequence[Array], list[Array]]

# Of the largest value of an output, by bytes: rounding differs where sums are cut otherwise.
TOLERANCE = {2: 1e-2, 4: 1e-4, 8: 1e-4}
# Inputs that are filled up with something else than zeros: a mask, or ids with their own padding.
MOST_SPECIAL = 2


@dataclass(frozen=True)
class Trial:
    """A network for two lengths, and what they are tried on.

    Attributes:
        signature: of the network for `length`.
        inputs, outputs: dimensions that are the length.
        length, padded: the two lengths, the second one larger.
        short, long: the network for either.
        draws: several inputs of the shorter one.
    """

    signature: Signature
    inputs: Sequence[Sequence[int]]
    outputs: Sequence[Sequence[int]]
    length: int
    padded: int
    short: Network
    long: Network
    draws: Sequence[Sequence[Array]]

    def find(self) -> list[str]:
        """For each input what fills it up.

        Raises:
            NiwakiError: whatever does, results change.
        """
        runs = self._runs(self.draws)
        problems = []
        for names in self._choices():
            try:
                problem = self._changed(names, runs)
            except NiwakiError as error:  # of words there may be one alone
                problem = str(error)
            if not problem:
                return list(names)
            problems.append(problem)
        raise self.refusal(problems[0])

    def check(self, names: Sequence[str]) -> None:
        """Raises NiwakiError where these fillings change results."""
        if problem := self._changed(names, self._runs(self.draws)):
            raise self.refusal(problem)

    def problem(self, names: Sequence[str], runs: Sequence[Run]) -> str:
        """Which output of a run these fillings change, and how much; empty if none."""
        for arrays, wanted in runs:
            filled = [
                pad(array, np.empty(resized(array.shape, places, self.padded), array.dtype), name)
                for array, places, name in zip(arrays, self.inputs, names, strict=True)
            ]
            found = self.long(filled)
            rows = zip(self.signature.outputs, wanted, found, strict=True)
            for spec, short, long in rows:
                if told := difference(short, long[tuple(map(slice, short.shape))]):
                    return f"output '{spec.name}' {told}"
        return ""

    def _changed(self, names: Sequence[str], runs: Sequence[Run]) -> str:
        """As `problem`, also where masks leave nothing out."""
        problem = self.problem(names, runs)
        draws = unmasked(self.draws, self.inputs, names)
        if problem or not draws:
            return problem
        bare = self._runs(draws)
        if _are_alike(bare):  # then these masks leave everything out
            return "masks that would allow all leave everything out"
        return self.problem(names, bare)

    def _runs(self, draws: Sequence[Sequence[Array]]) -> list[Run]:
        """What the network makes of inputs: of the first ones, and of others that it takes.

        A logarithm takes no numbers below zero, say.
        """
        first, *others = draws
        runs = [(first, self.short(first))]
        for arrays in others:
            with contextlib.suppress(NiwakiError):
                results = self.short(arrays)
                if not any(map(is_nan, results)):
                    runs.append((arrays, results))
        return runs

    def refusal(self, problem: str) -> NiwakiError:
        """The error for a network whose results padding changes."""
        return NiwakiError(
            f"padding from length {self.length} to {self.padded} changes results: {problem}; give "
            "the network an input that masks padding, as attention_mask, and let results depend on "
            "what it allows alone, or compile it without lengths"
        )

    def _choices(self) -> Iterator[tuple[str, ...]]:
        """Zeros first, then what has few inputs of another filling."""
        others = {
            number: [name for name in fillings(spec.dtype) if name != ZERO]
            for number, spec in enumerate(self.signature.inputs)
            if self.inputs[number]
        }
        for count in range(MOST_SPECIAL + 1):
            for numbers in itertools.combinations(others, count):
                for special in itertools.product(*(others[number] for number in numbers)):
                    names = [ZERO] * len(self.inputs)
                    for number, name in zip(numbers, special, strict=True):
                        names[number] = name
                    yield tuple(names)


def _are_alike(runs: Sequence[Run]) -> bool:
    """Whether results are the same, though inputs are not."""
    (inputs, results), *others = runs
    return any(
        all(map(np.array_equal, results, found)) and not all(map(np.array_equal, inputs, arrays))
        for arrays, found in others
    )


def difference(wanted: Array, found: Array) -> str:
    """How far two results are apart, empty if by no more than rounding."""
    if wanted.dtype.kind != "f":
        return "" if np.array_equal(wanted, found) else "has other values"
    if is_nan(wanted):
        return "has NaN alone"
    if not np.array_equal(np.isfinite(wanted), np.isfinite(found)):
        return "becomes infinite or NaN"
    finite = np.isfinite(wanted)
    exact, other = wanted[finite].astype(np.float64), found[finite].astype(np.float64)
    largest, off = np.abs(exact).max(initial=0), np.abs(other - exact).max(initial=0)
    if off <= TOLERANCE[wanted.dtype.itemsize] * largest:
        return ""
    return f"is off by {off / largest if largest else np.inf:.2g} of its largest value"


def is_nan(result: Array) -> bool:
    """Whether a result says nothing."""
    return bool(result.dtype.kind == "f" and result.size and np.isnan(result).all())
