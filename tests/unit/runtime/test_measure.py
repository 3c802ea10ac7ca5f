"""Measuring, and the inputs made for it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import niwaki
from niwaki.errors import NiwakiError
from niwaki.runtime.arrays import is_shareable
from niwaki.runtime.measure import bench, random_inputs
from niwaki.signature import DTYPES, TensorSpec


def test_bench(affine_path: Path) -> None:
    result = bench(niwaki.load(affine_path, threads=2), warmup=1, repetitions=20)
    assert 0 < result.minimum <= result.median <= result.p90
    assert (result.warmup, result.repetitions) == (1, 20)
    assert (result.threads, result.device) == (2, "local")


@pytest.mark.parametrize(("warmup", "repetitions"), [(0, 0), (-1, 1)])
def test_nothing_to_measure(affine_path: Path, warmup: int, repetitions: int) -> None:
    message = f"cannot measure {repetitions} calls after {warmup}: need at least 1 after 0"
    with pytest.raises(NiwakiError, match=f"^{re.escape(message)}$"):
        bench(niwaki.load(affine_path), warmup, repetitions)


def test_more_calls_than_a_measurement_needs(affine_path: Path) -> None:
    message = "cannot measure 50 calls after 1000000000000: give at most 1,000,000 in all"
    with pytest.raises(NiwakiError, match=f"^{message}$"):
        bench(niwaki.load(affine_path), 10**12)


@pytest.mark.parametrize("dtype", DTYPES)
def test_random_inputs(dtype: str) -> None:
    specs = (TensorSpec("x", (50, 40), dtype), TensorSpec("s", (), dtype))
    arrays = random_inputs(specs, seed=3)
    for spec, array, again in zip(specs, arrays, random_inputs(specs, seed=3), strict=True):
        assert (array.shape, array.dtype) == (spec.shape, np.dtype(spec.dtype))
        assert is_shareable(array)
        np.testing.assert_array_equal(array, again)
    assert not np.array_equal(arrays[0], random_inputs(specs, seed=4)[0])
    values = arrays[0].astype(np.float64)
    if dtype.startswith("float"):
        assert abs(values.mean()) < 0.1
        assert abs(values.std() - 1) < 0.1
    elif dtype in ("int8", "uint8"):
        assert np.ptp(values) == 255
    else:
        assert set(values.flat) == {0, 1}
