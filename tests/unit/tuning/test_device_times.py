"""Kernels are chosen by what a device took for others of their kind."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from niwaki.errors import NiwakiError
from niwaki.passes.choice import Candidate, Choice
from niwaki.runtime.deploy.kernel_times import KernelTime
from niwaki.runtime.deploy.times_file import DeviceTimes
from niwaki.runtime.measure import Measurement
from niwaki.schemes import Dense
from niwaki.tuning import device_times
from niwaki.tuning.device_times import device_chooser

US = 1e-6


def write(path: Path, *kernels: KernelTime, target: str = "arm64-android") -> Path:
    """A file of times."""
    calls = Measurement(1e-3, 1e-3, 1e-3, 5, 1, 1, "local")
    times = DeviceTimes("0" * 64, 0, target, "Pixel 8", calls, None, list(kernels))
    path.write_text(json.dumps(asdict(times)))
    return path


def candidate(kernel: str, seconds: float) -> Candidate:
    return Candidate(Dense(), SimpleNamespace(summary=kernel), seconds)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Winograd's kernels take 3 times as long as estimated, others as long, but in one layer."""
    return write(
        tmp_path / "times.json",
        KernelTime("conv1", "dense", "winograd 2x4", 1000, 3000),
        KernelTime("conv2", "dense", "winograd 4x4", 1000, 3000),
        KernelTime("conv3", "dense", "gather_gemm 8x3", 1000, 1000),
        KernelTime("conv4", "dense", "gather_gemm 8x3", 1000, 1000),
        KernelTime("odd", "dense", "gather_gemm 8x3", 1000, 9000),
    )


def chosen(file: Path, layer: str, *found: Candidate, more: tuple[Path, ...] = ()) -> Choice:
    chooser = device_chooser((file, *more), "arm64-android")
    (choice,) = chooser.choose([(SimpleNamespace(location=layer), found)])
    return choice


@pytest.fixture(autouse=True)
def locations_are_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_times, "layer_name", str)


def test_families_that_take_longer_give_way(file: Path) -> None:
    """In layers that were timed and in others."""
    fast, slow = candidate("winograd 2x4", 1 * US), candidate("gather_gemm 8x3", 2 * US)
    for layer in ("conv1", "new"):
        assert chosen(file, layer, fast, slow).candidate is slow
    assert chosen(file, "conv1", fast, candidate("gather_gemm 8x3", 4 * US)) == Choice(fast)


def test_a_layer_counts_more_than_its_family(file: Path) -> None:
    fast, slow = candidate("gather_gemm 8x3", 1 * US), candidate("winograd 2x4", 2 * US)
    assert chosen(file, "odd", fast, slow).candidate is slow
    assert chosen(file, "conv3", fast, slow).candidate is fast


def test_estimates_decide_within_a_family(file: Path) -> None:
    """A kernel is not left for another whose time is only estimated."""
    other, known = candidate("gather_gemm 4x3", 1.01 * US), candidate("gather_gemm 8x3", 1 * US)
    assert chosen(file, "odd", other, known) == Choice(known)


def test_what_was_timed_stays_where_others_are_hardly_faster(file: Path) -> None:
    known = candidate("gather_gemm 8x3", 1 * US)
    for seconds, leaves in ((0.97, False), (0.9, True)):
        other = candidate("spmm 8", seconds / 3 * US)  # unknown, so off by the median of all
        assert (chosen(file, "conv3", known, other).candidate is other) == leaves


def test_unknown_families_are_as_others(file: Path) -> None:
    """Off by the median of all, 3 here."""
    unknown, known = candidate("spmm 8", 1 * US), candidate("winograd 2x4", 1.1 * US)
    assert chosen(file, "new", unknown, known).candidate is unknown


def test_several_files(file: Path, tmp_path: Path) -> None:
    """Two kernels of one family were timed in a layer: each has its own time."""
    second = write(tmp_path / "b.json", KernelTime("odd", "dense", "gather_gemm 4x3", 1200, 2000))
    first, other = candidate("gather_gemm 8x3", 1 * US), candidate("gather_gemm 4x3", 1.2 * US)
    assert chosen(file, "odd", first, other, more=(second,)) == Choice(other)


def test_refusals(file: Path, tmp_path: Path) -> None:
    with pytest.raises(NiwakiError, match=r"times of code for target 'arm64-android', not 'arm64'"):
        device_chooser([file], "arm64")
    empty = write(tmp_path / "empty.json")
    with pytest.raises(NiwakiError, match=r"empty\.json has no times of layers to choose kernels"):
        device_chooser([empty], "arm64-android")
