"""Which dimensions of example inputs, or of what a file leaves open, are the length."""

from __future__ import annotations

import pytest
import torch

from niwaki.errors import NiwakiError
from niwaki.frontend.input_choices import InputChoices
from niwaki.frontend.input_sizes import Declared, fixed_sizes
from niwaki.frontend.lengths import example_length, with_length


def test_examples_of_another_length() -> None:
    examples = ((torch.arange(6).reshape(2, 3), 7), {"mask": torch.eye(3), "x": None})
    (ids, number), kwargs = with_length(examples, 3, 5)
    assert ids.tolist() == [[0, 1, 2, 0, 1], [3, 4, 5, 3, 4]]
    assert (number, kwargs["x"], kwargs["mask"].shape) == (7, None, (5, 5))
    (ids, _), _ = with_length(examples, 3, 2)
    assert ids.tolist() == [[0, 1], [3, 4]]


def test_length_of_examples() -> None:
    assert example_length((torch.zeros(1, 16, 80), {"m": torch.zeros(1, 16)}), [1, 8, 16]) == 16
    assert example_length(torch.zeros(1, 5), [1]) == 1
    words = torch.zeros(1, 5, dtype=torch.int64)
    assert example_length((words, words == 0, torch.zeros(1, 7)), [8, 16]) == 5


@pytest.mark.parametrize(
    ("shapes", "told"),
    [
        (
            [(1, 12), ()],
            "no dimension of the example inputs (1x12, scalar) is one of the lengths 8, 16: give",
        ),
        ([(1, 5)], "no dimension of the example inputs (1x5) is one of the lengths 8, 16: give"),
        ([(1, 8, 16)], "the example inputs (1x8x16) have sizes of several lengths (8, 16): give"),
    ],
)
def test_no_length(shapes: list[tuple[int, ...]], told: str) -> None:
    with pytest.raises(NiwakiError) as raised:
        example_length(tuple(map(torch.zeros, shapes)), [8, 16])
    assert str(raised.value).startswith(told)


@pytest.mark.parametrize(
    ("declared", "choices", "wanted"),
    [
        ({"ids": ["batch", "time"]}, InputChoices(length=8), {"ids": (1, 8)}),
        ({"ids": ["batch", "time"]}, InputChoices(batch=3, length=8), {"ids": (3, 8)}),
        (
            {"ids": [1, ""], "mask": [1, ""]},
            InputChoices(length=8),
            {"ids": (1, 8), "mask": (1, 8)},
        ),
        ({"x": ["time", 1, 80]}, InputChoices(length=8), {"x": (8, 1, 80)}),
        (
            {"x": ["b", "c", "t"], "m": ["b", "t"], "c": ["c"]},
            InputChoices(shapes={"c": (4,)}, length=8),
            {"x": (1, 4, 8), "m": (1, 8), "c": (4,)},
        ),
    ],
)
def test_open_dimensions(
    declared: dict[str, Declared], choices: InputChoices, wanted: dict[str, tuple[int, ...]]
) -> None:
    assert fixed_sizes("net: ", declared, choices) == wanted


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"x": [1, 16]}, "net: no dimension of the inputs is open, so that none can be the length"),
        (
            {"x": [1, "t", "u"]},
            "net: several dimensions are open (t, u), and one can be the length",
        ),
    ],
)
def test_no_open_length(declared: dict[str, Declared], told: str) -> None:
    with pytest.raises(NiwakiError) as raised:
        fixed_sizes("net: ", declared, InputChoices(length=8))
    assert str(raised.value).startswith(told)


def test_fixed_files_have_none() -> None:
    with pytest.raises(NiwakiError, match=r"^the sizes of net.mlir are fixed: compile it without"):
        InputChoices(length=8).check_unused("net.mlir")
