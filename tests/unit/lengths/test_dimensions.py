"""Which dimensions are the length: those that differ between two networks, and are it."""

from __future__ import annotations

import pytest

from niwaki.errors import NiwakiError
from niwaki.lengths.dimensions import find_dimensions
from niwaki.lengths.networks import trial_lengths
from niwaki.signature import Signature, TensorSpec

Shape = tuple[int, ...]


def signature(inputs: list[Shape], outputs: list[Shape]) -> Signature:
    ins = tuple(TensorSpec(f"x{i}", shape, "float32") for i, shape in enumerate(inputs))
    outs = tuple(TensorSpec(f"y{i}", shape, "float32") for i, shape in enumerate(outputs))
    return Signature(ins, outs, None, None)


def test_those_that_differ() -> None:
    found = find_dimensions(
        {
            21: signature([(1, 21), (2, 3), (21, 1, 21)], [(1, 21, 32), (4,)]),
            32: signature([(1, 32), (2, 3), (32, 1, 32)], [(1, 32, 32), (4,)]),
        }
    )
    assert found == ([[1], [], [0, 2]], [[1], []])


@pytest.mark.parametrize("size", [lambda n: n // 2, lambda n: n + 1, lambda n: 64 - n])
def test_a_size_that_is_another_number(size: object) -> None:
    assert callable(size)
    networks = {n: signature([(1, n)], [(1, size(n))]) for n in (20, 32)}
    with pytest.raises(NiwakiError, match=r"^output 'y0' is 1x\d+ for length 20: a dimension that"):
        find_dimensions(networks)


def test_no_dimension() -> None:
    networks = {n: signature([(1, 5)], [(1, 5)]) for n in (20, 32)}
    with pytest.raises(NiwakiError, match=r"^no dimension of an input is the length: compile it"):
        find_dimensions(networks)


def test_lengths_between() -> None:
    assert trial_lengths([32, 64]) == [(21, 32), (53, 64)]
    assert trial_lengths([1, 2, 4]) == [(3, 4)]
    assert trial_lengths([1, 2, 3]) == []
    assert trial_lengths([2]) == [(1, 2)]
    for length, padded in trial_lengths([5, 6, 9, 100]):
        assert length < padded
        assert length not in (5, 6, 9, 100)
