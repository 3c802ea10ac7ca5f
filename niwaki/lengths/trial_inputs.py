"""What networks are tried on to find out what padding does to them.

What padding does may be hidden: a maximum over places does not mind zeros where some number is
above zero, as nearly always among some random ones. So there are several draws.

    x, of 5 numbers for each place    normal; all above 1; all below -1; small
    words 3 to 90                     any of them; of the upper half
    mask                              0 and 1
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki.padding import ONE
from niwaki.signature import TensorSpec

Array = npt.NDArray[Any]

# How normal numbers are changed, draw by draw; the first one is that of all numbers.
DRAWS: tuple[Callable[[Array], Array], ...] = (
    lambda x: x,
    lambda x: 1 + np.abs(x),
    lambda x: -1 - np.abs(x),
    lambda x: x / 100,
)


def trial_inputs(
    specs: Sequence[TensorSpec],
    dimensions: Sequence[Sequence[int]],
    length: int,
    examples: Sequence[Array] | None,
) -> list[list[Array]]:
    """Several lists of inputs of the network for `length`, with values as examples have them.

    Integers lie where those of the example do, or are 0 and 1: equal ones would hide what becomes
    of padding. Those that are no sequences, but may tell how long one is, say at most `length`.
    """
    generator = np.random.default_rng(0)

    def drawn(draw: int, number: int) -> Array:
        spec, places = specs[number], dimensions[number]
        kind = np.dtype(spec.dtype)
        example = None if examples is None else examples[number]
        if kind.kind == "f":
            numbers = generator.standard_normal(spec.shape)
            return np.asarray(numbers if may_be_mask(number) else DRAWS[draw](numbers), kind)
        if example is not None and not places:
            return np.asarray(np.minimum(example, length), kind)
        low, high = _range(example, upper=draw % 2 == 1)
        array = generator.integers(low, high, spec.shape, endpoint=True)
        array[..., :1], array[..., 1:][..., -1:] = high, low  # of a mask, either
        return np.asarray(array, kind)

    def may_be_mask(number: int) -> bool:
        """Whether floats have one number for each place, beside others, and few in its example."""
        shape, places = specs[number].shape, dimensions[number]
        sizes = {size for place, size in enumerate(shape) if place and place not in places}
        few = examples is None or len(np.unique(examples[number])) < 3
        return few and sizes <= {1} and sum(map(bool, dimensions)) > 1

    return [[drawn(draw, number) for number in range(len(specs))] for draw in range(len(DRAWS))]


def _range(example: Array | None, upper: bool) -> tuple[int, int]:
    """The least and largest integer to try; with `upper` of more than two only the upper half."""
    if example is None or example.dtype.kind == "b" or not example.size:
        return 0, 1
    low, high = int(example.min()), int(example.max())
    low, high = (low, high) if low < high else (min(low, 0), max(high, 1))
    return ((low + high + 1) // 2, high) if upper and high - low > 1 else (low, high)


def unmasked(
    draws: Sequence[Sequence[Array]], dimensions: Sequence[Sequence[int]], padding: Sequence[str]
) -> list[list[Array]]:
    """The same with masks that leave nothing out, where `padding` is left out; none without masks.

    What is left out may hide padding: of numbers times a mask zero may be the largest anyway.
    """
    masks = [
        bool(places)
        and all(array.dtype.kind != "f" and set(array.flat) <= {0, 1} for array in column)
        for column, places in zip(zip(*draws, strict=True), dimensions, strict=True)
    ]
    if not any(masks):
        return []
    counted = [0 if name == ONE else 1 for name in padding]
    return [
        [
            np.full_like(array, value) if mask else array
            for array, value, mask in zip(arrays, counted, masks, strict=True)
        ]
        for arrays in draws
    ]
