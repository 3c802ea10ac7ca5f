"""The rows of a report: kernel runs joined with records and times."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny_bundle

from niwaki.records import DispatchRecord, LayerRecord
from niwaki.runtime.layer_rows import Row, layer_rows
from niwaki.runtime.layer_times import LayerTimes, RunTime
from niwaki.runtime.manifest import Manifest
from niwaki.runtime.times_table import times_text

CONV = LayerRecord(
    "conv",
    "conv 3x3",
    "dense",
    "gather 8x3",
    100,
    100,
    600,
    400,
    positions=50,
    activation_bytes=400,
)
CALL = DispatchRecord("conv", "gather_1", "gather")
RUNS = (
    DispatchRecord("conv", "copy_rows_0", "copy_rows"),
    CALL,
    DispatchRecord("twice", "gather_1", "gather"),
    DispatchRecord("pool", "pool_max_2", "pool_max"),
    DispatchRecord("twice", "gather_1", "gather"),
    DispatchRecord("sort", "main_dispatch_0_sort_9xf32", ""),
    DispatchRecord("slow", "main_dispatch_1", ""),
)

TABLE = """\
layer  op           scheme  kernel       kept    time
-----------------------------------------------------
conv   layout copy          copy_rows          1.0 us
conv   conv 3x3     dense   gather     100.0%  2.0 us
twice  conv 1x1     dense   gather     100.0%  3.0 us
pool   pool max             pool_max           4.0 us
twice  conv 5x5     dense   gather     100.0%  5.0 us
sort   sort_9xf32           (IREE)             6.0 us
slow   IREE                 (IREE)             7.0 us

40.0 us a call, 12.0 us of it between kernels (20 profiled calls, 2 threads)"""


def manifest() -> Manifest:
    first = replace(CONV, name="twice", op="conv 1x1", kernel="gather 4x1", positions=0)
    layers = [CONV, first, replace(first, op="conv 5x5", kernel="gather 8x1")]
    layers.append(replace(first, name="fused away"))
    return replace(tiny_bundle.affine_manifest(), layers=layers, dispatches=[*RUNS])


def times() -> LayerTimes:
    runs = [
        RunTime(run.layer, run.kernel, run.family, number * 1e-6)
        for number, run in enumerate(RUNS, 1)
    ]
    return LayerTimes(runs, 40e-6, 12e-6, 20, 2)


def test_rows() -> None:
    rows = layer_rows(manifest(), times())
    assert [(row.what, row.kind) for row in rows] == [
        ("layout copy", "other"),
        ("conv 3x3", "layer"),
        ("conv 1x1", "layer"),
        ("pool max", "other"),
        ("conv 5x5", "layer"),
        ("IREE: sort_9xf32", "iree"),
        ("IREE", "iree"),
        ("conv 1x1", "layer"),
    ]
    assert [row.seconds for row in rows[:2]] == [1e-6, 2e-6]
    assert (rows[-1].layer, rows[-1].seconds) == ("fused away", None)


def test_without_times() -> None:
    assert {row.seconds for row in layer_rows(manifest(), None)} == {None}


def test_layer_that_iree_compiles() -> None:
    (row, other) = layer_rows(tiny_bundle.affine_manifest(), None)
    assert (row.layer, row.what, row.kernel, row.kind) == ("fc", "linear", "(IREE)", "iree")
    assert other.layer == "conv1"


def test_rates() -> None:
    row = layer_rows(manifest(), times())[1]
    assert row.flops == 2 * 100 * 50
    assert row.gflops == pytest.approx(10_000 / 2e-6 / 1e9)
    assert row.intensity == 10_000 / (600 + 400)
    copy = Row("a", "layout copy", "copy_rows_0", "other", None, 1e-6)
    assert (copy.flops, copy.gflops, copy.intensity) == (0, None, 0.0)


def test_table() -> None:
    assert times_text(manifest(), times()) == TABLE


def test_calls_of_a_layer_are_one_row() -> None:
    """A layer that is called in 50 steps, with one of IREE's kernels in each."""
    runs = [CALL, replace(CALL, kernel="main_dispatch_0_tanh", family="")] * 50
    layers = [replace(CONV, estimated_ns=number) for number in range(50)]
    plain = replace(tiny_bundle.affine_manifest(), layers=layers, dispatches=runs)
    measured = [RunTime(run.layer, run.kernel, run.family, 2e-6) for run in runs]
    rows = times_text(plain, LayerTimes(measured, 300e-6, 0.0, 20, 1)).splitlines()[2:4]
    assert [row.split() for row in rows] == [
        ["conv", "(50x)", "conv", "3x3", "dense", "gather", "100.0%", "100.0", "us"],
        ["conv", "(50x)", "tanh", "(IREE)", "100.0", "us"],
    ]
