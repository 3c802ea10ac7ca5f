"""Rows and columns taken by number: each is one copy, into the layout that a convolution reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from niwaki.passes.kernels import take_rows
from niwaki.passes.kernels.take_rows import row_vectors

from .cases import check
from .taken import Padded, odd_takes, styled


@pytest.mark.parametrize("target", ["host", "x86-64-v3"])
def test_odd_sizes(target: str, tmp_path: Path) -> None:
    cases = odd_takes()
    families = [run.family for run in check(cases, tmp_path, target).bundle.manifest.dispatches]
    around = sum(isinstance(case.model, Padded) for case in cases)
    assert families.count("take_rows") == len(cases)  # three in a row are one
    assert families.count("copy_rows") == 2 * around  # an input, and a result
    assert families.count("gather_gemm") == 2 * around
    assert len(families) == len(cases) + 4 * around


@pytest.mark.parametrize("target", ["host", "x86-64-v3"])
def test_norms_write_what_is_taken(target: str, tmp_path: Path) -> None:
    """Between two convolutions is nothing but the norm."""
    cases = styled()
    families = [run.family for run in check(cases, tmp_path, target).bundle.manifest.dispatches]
    assert families.count("normalize_planes") == len(cases)
    assert len(families) == 5 * len(cases)  # an input, and a result


@given(st.data())
def test_vectors_have_their_pixels(data: st.DataObject) -> None:
    """Whatever a row takes: vectors lie within the source's row, and all places are written."""
    size, lanes = data.draw(st.integers(1, 40)), data.draw(st.sampled_from([4, 8, 16]))
    columns = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=70))
    row, found = np.arange(size), np.full(len(columns), -1)
    for one in row_vectors(columns, size, lanes):
        width = len(one.picks) or len(one.starts)
        loaded = np.concatenate([row[at : at + (width if one.picks else 1)] for at in one.starts])
        assert len(loaded) == (len(one.starts) * width if one.picks else width)
        found[one.at : one.at + width] = loaded[list(one.picks) or slice(None)]
    assert found.tolist() == columns


def test_rows_of_many_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are looked up pixel by pixel, lest their code grows with them."""
    monkeypatch.setattr(take_rows, "MOST_RUNS", 0)
    check([*odd_takes()[::2], *styled()[::3]], tmp_path)


def test_halves(tmp_path: Path) -> None:
    """Taken numbers of f16 stay so between layers."""
    cases = [replace(case, tolerance=5e-3) for case in odd_takes()[::5]]
    families = [
        run.family for run in check(cases, tmp_path, precision="f16").bundle.manifest.dispatches
    ]
    around = sum(isinstance(case.model, Padded) for case in cases)
    # A cast at each side of a network, and none between.
    assert len(families) == len(cases) + 6 * around
