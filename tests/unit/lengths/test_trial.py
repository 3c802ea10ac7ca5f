"""What fills up shorter inputs is found by trying, and a network that minds is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from niwaki.errors import NiwakiError
from niwaki.lengths.trial import Network, Trial, difference
from niwaki.lengths.trial_inputs import trial_inputs
from niwaki.padding import INFINITE, LOWEST, ONE, ZERO
from niwaki.signature import Signature, TensorSpec

Array = npt.NDArray[Any]
SHORT, LONG = 5, 8


def trial(dtypes: Sequence[str], network: Network, width: int = 0) -> Trial:
    """Of a network whose inputs have the length alone; floats `width` numbers for each place."""
    shapes = [(SHORT, width) if width and "float" in dtype else (SHORT,) for dtype in dtypes]
    pairs = zip(shapes, dtypes, strict=True)
    specs = tuple(TensorSpec(f"x{i}", shape, dtype) for i, (shape, dtype) in enumerate(pairs))
    places = [[0] for _ in dtypes]
    draws = trial_inputs(specs, places, SHORT, None)
    outputs = (TensorSpec("y", np.shape(network(draws[0])[0]), "float32"),)
    signature = Signature(specs, outputs, None, None)
    return Trial(signature, places, [[]], SHORT, LONG, network, network, draws)


def mean(x: Array, counts: Array) -> list[Array]:
    kept = x[counts != 0].astype(np.float64) * counts[counts != 0]
    with np.errstate(over="ignore"):  # the lowest of all floats is tried, too
        return [np.asarray(kept.sum() / counts.sum(), np.float32)]


def softmax(x: Array, bias: Array) -> list[Array]:
    with np.errstate(over="ignore"):
        weights = np.exp(bias.astype(np.float64) - bias.max())
    return mean(x + 1, weights / weights.sum())


CASES: dict[str, tuple[list[str], Network, list[str]]] = {
    "mask": (["float32", "int64"], lambda a: mean(a[0] + 1, a[1]), [ZERO, ZERO]),
    "what is true is left out": (["float32", "bool"], lambda a: mean(a[0], ~a[1]), [ZERO, ONE]),
    "number added": (["float32", "float32"], lambda a: softmax(a[0], a[1]), [ZERO, LOWEST]),
    "word that is none": (["int64"], lambda a: mean(np.arange(a[0].size), a[0] != 1), [ONE]),
    "sum": (["float32"], lambda a: [np.asarray(a[0].sum(), np.float32)], [ZERO]),
    "infinite alone": (["float32"], lambda a: mean(a[0], np.isfinite(a[0])), [INFINITE]),
    "each place": (["float32"], lambda a: [a[0] * 2], [ZERO]),
}


@pytest.mark.parametrize("name", CASES)
def test_found(name: str) -> None:
    dtypes, network, wanted = CASES[name]
    assert trial(dtypes, network).find() == wanted


def test_many_inputs() -> None:
    """Of which two are masks."""
    dtypes = ["float32"] * 20 + ["bool", "bool"]

    def network(arrays: Sequence[Array]) -> list[Array]:
        *numbers, one, other = arrays
        return mean(np.stack(numbers).astype(np.float64).sum(0), ~one | ~other)

    assert trial(dtypes, network).find() == [*[ZERO] * 20, ONE, ONE]


def test_fillings_that_a_network_does_not_take() -> None:
    def network(arrays: Sequence[Array]) -> list[Array]:
        if not (arrays[0][SHORT:] == 1).all():
            raise NiwakiError("it does not run")
        return [arrays[0]]

    tried = trial(["int64"], lambda arrays: [arrays[0]])
    assert replace(tried, long=network).find() == [ONE]


def times_mask(a: Sequence[Array]) -> list[Array]:
    with np.errstate(invalid="ignore"):  # infinity is tried, too
        return [(a[0] * a[1][:, None]).max(0)]


def where_mask(counts: Array, x: Array) -> list[Array]:
    return [np.where(counts[:, None], x, -np.inf).max(0).astype(np.float32)]


# Whatever is random, some number is mostly above and some below zero.
HIDDEN: dict[str, tuple[list[str], Network, list[str]]] = {
    "largest": (["float32"], lambda a: [a[0].max(0)], [LOWEST]),
    "largest magnitude": (["float32"], lambda a: [abs(a[0]).max(0)], [ZERO]),
    "place of the largest": (["float32"], lambda a: [a[0].argmax(0)], [LOWEST]),
    "largest of what counts": (["float32", "bool"], lambda a: where_mask(a[1], a[0]), [ZERO] * 2),
    "largest of the others": (["float32", "bool"], lambda a: where_mask(~a[1], a[0]), [ZERO, ONE]),
    "smallest": (["float32"], lambda a: [a[0].min(0)], []),
    "above a number": (["float32"], lambda a: [np.all(a[0] > 0.5, 0)], []),
    "largest with a bias": (["float32"], lambda a: [np.maximum(a[0] + 0.1, 0).max(0)], [LOWEST]),
    "largest times a mask": (["float32", "int64"], times_mask, []),
    "largest times another": (["float32", "bool"], lambda a: times_mask([a[0], ~a[1]]), []),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_hidden(name: str) -> None:
    """Found or, where nothing will do, refused."""
    dtypes, network, wanted = HIDDEN[name]
    tried = trial(dtypes, network, width=3)
    if wanted:
        assert tried.find() == wanted
    else:
        with pytest.raises(NiwakiError, match="changes results"):
            tried.find()


def test_masks_that_leave_everything_out() -> None:
    dtypes, network, _ = HIDDEN["largest times another"]
    with pytest.raises(NiwakiError, match="8 changes results: masks that would allow all leave"):
        trial(dtypes, network, width=3).find()


def test_inputs_that_a_network_does_not_take() -> None:
    """Of further draws nothing is asked."""

    def network(arrays: Sequence[Array]) -> list[Array]:
        if arrays[0].min() > 0:
            raise NiwakiError("it does not run")
        return [arrays[0] * 2]

    assert trial(["float32"], network).find() == [ZERO]


def test_refused() -> None:
    with pytest.raises(NiwakiError) as raised:
        trial(["int64"], lambda a: [np.asarray(a[0].mean() + 1, np.float32)]).find()
    assert str(raised.value).startswith(
        "padding from length 5 to 8 changes results: output 'y' is off by 0."
    )
    assert "attention_mask" in str(raised.value)


@pytest.mark.parametrize(
    ("wanted", "found", "told"),
    [
        ([1.0, 2], [1, 2 + 1e-6], ""),
        ([0.0], [0], ""),
        ([1.0, 2], [1, 2.01], "is off by 0.005 of its largest value"),
        ([0.0], [1], "is off by inf of its largest value"),
        ([1.0, np.nan], [1, np.nan], ""),
        ([1.0, 1], [1, np.inf], "becomes infinite or NaN"),
        ([np.nan], [np.nan], "has NaN alone"),
        ([1, 2], [1, 3], "has other values"),
        ([], [], ""),
    ],
)
def test_difference(wanted: list[float], found: list[float], told: str) -> None:
    assert difference(np.array(wanted), np.array(found)) == told


def test_difference_of_halves() -> None:
    halves = np.array([1, 2], np.float16)
    assert difference(halves, halves + np.float16(2e-3)) == ""
    assert difference(halves, halves + np.float16(0.1)) == "is off by 0.05 of its largest value"


def test_inputs_that_tell_padding_from_what_counts() -> None:
    """Example inputs are often all zeros, or all ones."""
    specs = (
        TensorSpec("ids", (1, 9), "int64"),
        TensorSpec("mask", (1, 9), "bool"),
        TensorSpec("count", (1,), "int32"),
        TensorSpec("words", (1, 9), "int64"),
    )
    examples = [
        np.zeros((1, 9), np.int64),
        np.ones((1, 9), bool),
        np.array([12], np.int32),
        np.array([[3, 90, 7] * 3]),
    ]
    draws = trial_inputs(specs, [[1], [1], [], [1]], 9, examples)
    for found in draws:
        assert [array.dtype.name for array in found] == [spec.dtype for spec in specs]
        assert set(found[0].ravel()) == {0, 1}
        assert set(found[1].ravel()) == {False, True}
        assert found[2].tolist() == [9]
        assert found[3].min() >= 3
        assert found[3].max() == 90
    assert {int(found[3].min()) for found in draws} == {3, 47}
