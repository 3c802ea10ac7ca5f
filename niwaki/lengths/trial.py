"""What fills up shorter inputs so that results do not change: found by trying the network itself.

    length 21                            ids, mask                      y
    length 32, filled up with 0 and 0    ids 0..., mask 0...            y, and something behind it
                                                                        the same y: taken

A network that has no way to tell padding from what counts, as a mean over all places, gives another
result whatever it is filled up with. Then it is refused: no bundle is silently wrong.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki.errors import NiwakiError
from niwaki.padding import ZERO, fillings, pad, resized
from niwaki.signature import Signature, TensorSpec

Array = npt.NDArray[Any]
Network = Callable[[Sequence[Array]], list[Array]]

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
        arrays: inputs of the shorter one.
    """

    signature: Signature
    inputs: Sequence[Sequence[int]]
    outputs: Sequence[Sequence[int]]
    length: int
    padded: int
    short: Network
    long: Network
    arrays: Sequence[Array]

    def find(self) -> list[str]:
        """For each input what fills it up.

        Raises:
            NiwakiError: whatever does, results change.
        """
        wanted = self.short(self.arrays)
        problems = []
        for names in self._choices():
            try:
                problem = self.problem(names, wanted)
            except NiwakiError as error:  # of words there may be one alone
                problem = str(error)
            if not problem:
                return list(names)
            problems.append(problem)
        raise self.refusal(problems[0])

    def check(self, names: Sequence[str]) -> None:
        """Raises NiwakiError where these fillings change results."""
        if problem := self.problem(names):
            raise self.refusal(problem)

    def problem(self, names: Sequence[str], wanted: Sequence[Array] | None = None) -> str:
        """Which output these fillings change, and how much; empty if none."""
        wanted = self.short(self.arrays) if wanted is None else wanted
        filled = [
            pad(array, np.empty(resized(array.shape, places, self.padded), array.dtype), name)
            for array, places, name in zip(self.arrays, self.inputs, names, strict=True)
        ]
        found = self.long(filled)
        rows = zip(self.signature.outputs, wanted, found, strict=True)
        for spec, short, long in rows:
            if told := difference(short, long[tuple(map(slice, short.shape))]):
                return f"output '{spec.name}' {told}"
        return ""

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


def difference(wanted: Array, found: Array) -> str:
    """How far two results are apart, empty if by no more than rounding."""
    if wanted.dtype.kind != "f":
        return "" if np.array_equal(wanted, found) else "has other values"
    if np.isnan(wanted).all() and wanted.size:
        return "has NaN alone"
    if not np.array_equal(np.isfinite(wanted), np.isfinite(found)):
        return "becomes infinite or NaN"
    finite = np.isfinite(wanted)
    exact, other = wanted[finite].astype(np.float64), found[finite].astype(np.float64)
    largest, off = np.abs(exact).max(initial=0), np.abs(other - exact).max(initial=0)
    if off <= TOLERANCE[wanted.dtype.itemsize] * largest:
        return ""
    return f"is off by {off / largest if largest else np.inf:.2g} of its largest value"


def trial_inputs(
    specs: Sequence[TensorSpec],
    dimensions: Sequence[Sequence[int]],
    length: int,
    examples: Sequence[Array] | None,
) -> list[Array]:
    """Inputs of the network for `length`, with values as examples have them.

    Floats are normal. Integers lie where those of the example do, or are 0 and 1: equal ones would
    hide what becomes of padding. Those that are no sequences, but may tell how long one is, say at
    most `length`.
    """
    generator = np.random.default_rng(0)
    arrays = []
    for number, (spec, places) in enumerate(zip(specs, dimensions, strict=True)):
        kind = np.dtype(spec.dtype)
        example = None if examples is None else examples[number]
        array: Array
        if kind.kind == "f":
            array = generator.standard_normal(spec.shape)
        elif example is not None and not places:
            array = np.minimum(example, length)
        else:
            low, high = _range(example)
            array = generator.integers(low, high, spec.shape, endpoint=True)
            array[..., :1], array[..., 1:][..., -1:] = high, low  # of a mask, either
        arrays.append(np.asarray(array).astype(kind))
    return arrays


def _range(example: Array | None) -> tuple[int, int]:
    """The least and largest integer to try."""
    if example is None or example.dtype.kind == "b" or not example.size:
        return 0, 1
    low, high = int(example.min()), int(example.max())
    return (low, high) if low < high else (min(low, 0), max(high, 1))
