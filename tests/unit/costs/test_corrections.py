"""Estimates are corrected by what was measured, of the same layer before others."""

from __future__ import annotations

import pytest

from niwaki.costs.corrections import Corrections, Seen
from niwaki.costs.observation import Took


def seen(form: str, kind: str, estimated: float, ratio: float, width: float = 1.0) -> Seen:
    return Seen(form, width, Took(kind, estimated, ratio * estimated))


def test_without_observations_estimates_stand() -> None:
    assert Corrections().seconds("form", "spmm", 2e-4) == 2e-4


def test_a_layer_is_corrected_by_its_own_times() -> None:
    known = Corrections([seen("a", "spmm", 1e-4, 0.5), seen("b", "spmm", 1e-4, 0.9)])
    assert known.seconds("a", "spmm", 2e-4) == pytest.approx(1e-4)


def test_what_is_most_alike_counts_most() -> None:
    known = Corrections([seen("a", "spmm", 1e-4, 0.5), seen("a", "spmm", 1e-3, 1.0)])
    assert 0.5 < known.factor("a", "spmm", 1.1e-4) < 0.6
    assert 0.9 < known.factor("a", "spmm", 9e-4) < 1.0


def test_narrow_layers_are_like_narrow_ones() -> None:
    known = Corrections([seen("a", "spmm", 1e-4, 1.0), seen("a", "spmm", 1e-4, 0.5, width=0.4)])
    assert known.factor("a", "spmm", 1e-4, 0.4) < known.factor("a", "spmm", 1e-4, 1.0)


def test_kernels_that_share_columns_say_nothing_of_those_that_share_none() -> None:
    shares, single = "row_gemm block_punched", "row_gemm unstructured"
    known = Corrections([seen("a", shares, 1e-4, 0.5), seen("a", single, 1e-4, 1.5)])
    for form in ("a", "b"):
        assert known.factor(form, shares, 1e-4) == pytest.approx(0.5)
        assert known.factor(form, single, 1e-4) == pytest.approx(1.5)
    assert known.factor("a", "row_gemm dense", 1e-4) == pytest.approx(1.0)


def test_other_layers_are_corrected_by_their_family_and_others_by_all() -> None:
    ratios = {"a": 0.4, "b": 0.6, "c": 0.5}
    known = Corrections([seen(form, "spmm", 1e-4, ratio) for form, ratio in ratios.items()])
    assert known.factor("d", "spmm", 1e-5) == 0.5
    assert known.factor("d", "winograd", 1e-5) == 0.5
