"""From what the profiler noted to the times of layers."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_bundle

from niwaki.errors import NiwakiError
from niwaki.records import DispatchRecord
from niwaki.runtime import profiler
from niwaki.runtime.bundle import open_bundle, write_bundle
from niwaki.runtime.layer_times import covered, split_calls, summarize, time_layers
from niwaki.runtime.profiler import KernelRun, parse_events, profile

DISPATCHES = [DispatchRecord("a", "conv_0", "conv"), DispatchRecord("b", "conv_0", "conv")]


def call(begin: float, *seconds: float) -> list[KernelRun]:
    """A call of `conv_0` so many times, one second apart."""
    runs = []
    for duration in seconds:
        runs.append(KernelRun("conv_0", begin, begin + duration))
        begin += duration + 1
    return runs


def test_fastest_quarter_counts() -> None:
    # Calls begin at 0, 10, 30, ...: the first lasts 10 s, the others 20 s. One more ends the last.
    calls = [call(0, 2, 3), *(call(begin, 5, 7) for begin in (10, 30, 50, 70))]
    times = summarize(calls, DISPATCHES, threads=1)
    assert [(run.layer, run.seconds) for run in times.runs] == [("a", 2), ("b", 3)]
    assert (times.total, times.other, times.calls, times.threads) == (10, 5, 4, 1)


def test_kernels_side_by_side_count_once() -> None:
    begins, ends = np.array([0.0, 1, 1, 6, 7]), np.array([2.0, 5, 3, 7, 8])
    assert covered(begins, ends) == 5 + 2
    assert covered(begins[::-1], ends[::-1]) == 5 + 2


def test_what_runs_at_loading_is_left_out() -> None:
    calls = [call(5, 1, 1), call(9, 1, 1)]
    for tables in range(4):  # fewer than a call's kernels, as many, and more
        runs = [KernelRun("table", 0, 1)] * tables + calls[0] + calls[1]
        assert split_calls(runs, DISPATCHES, 2, "net") == calls


@pytest.mark.parametrize("runs", [[], call(0, 1), [*call(0, 1), KernelRun("pool_1", 3, 4)]])
def test_other_kernels_than_recorded(runs: Sequence[KernelRun]) -> None:
    message = (
        "net runs other kernels than its manifest says, so their times cannot be given to layers: "
        "a network with loops or conditions does; compile any other again"
    )
    with pytest.raises(NiwakiError, match=f"^{re.escape(message)}$"):
        split_calls(runs, DISPATCHES, 1, "net")


def event(**changes: Any) -> str:
    fields = {
        "record_type": "host_execution_event",
        "op": "dispatch",
        "key": "conv_0",
        "submission_id": 1,
        "command_index": 0,
        "start_host_time_ns": 10,
        "end_host_time_ns": 20,
    }
    return json.dumps({**fields, **changes})


def test_events_in_the_order_of_the_command_buffer() -> None:
    lines = [
        event(key="late", submission_id=2),
        event(key="third", command_index=4, start_host_time_ns=0),
        event(key="second", start_host_time_ns=15),
        event(key="first"),
        event(op="execute"),
        event(record_type="queue_event"),
    ]
    runs = parse_events("\n".join(lines))
    assert [run.kernel for run in runs] == ["first", "second", "third", "late"]
    assert runs[0] == KernelRun("first", 1e-8, 2e-8)


@pytest.mark.parametrize("threads", [1, 2])
def test_profiled(affine_path: Path, threads: int) -> None:
    times = time_layers(open_bundle(affine_path), threads, warmup=1, repetitions=8)
    (run,) = times.runs
    assert (run.layer, run.family) == ("fc", "")
    assert 0 < run.seconds < times.total
    assert 0 < times.other < times.total
    assert (times.calls, times.threads) == (8, threads)


def test_bundle_offers_it(affine_path: Path) -> None:
    assert open_bundle(affine_path).time_layers().threads == 1


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ((0, 0, 1), "cannot time layers with 0 threads: need at least 1"),
        ((1, -1, 0), "cannot measure 0 calls after -1: need at least 1 after 0"),
        ((1, 10**9, 1), "cannot measure 1 calls after 1000000000: give at most 10,000 in all"),
    ],
)
def test_numbers_of_calls(affine_path: Path, numbers: tuple[int, int, int], told: str) -> None:
    with pytest.raises(NiwakiError, match=f"^{told}$"):
        time_layers(open_bundle(affine_path), *numbers)


def test_gpus_are_not_timed(tmp_path: Path) -> None:
    path = tiny_bundle.affine_bundle(tmp_path / "net.niwaki", "vulkan")
    message = (
        f"{path} was compiled for device 'vulkan' (target vulkan): layers are timed on CPUs only"
    )
    with pytest.raises(NiwakiError, match=f"^{re.escape(message)}$"):
        time_layers(open_bundle(path))


def test_nothing_to_time(tmp_path: Path) -> None:
    path = tmp_path / "net.niwaki"
    tensor = {"x": ((2, 3), "float32")}
    manifest = tiny_bundle.manifest(tensor, tensor)
    write_bundle(path, manifest, tiny_bundle.compiled(tiny_bundle.AFFINE), {})
    with pytest.raises(NiwakiError, match=r"net.niwaki runs no kernels: there are no layers to"):
        time_layers(open_bundle(path))


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """IREE's tools are looked for in this folder."""
    import iree._runtime_libs as libraries

    monkeypatch.setattr(libraries, "__file__", str(folder / "__init__.py"))


def test_no_tools(affine_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, tmp_path)
    message = "this build of iree-base-runtime has no iree-benchmark-module: install its wheel"
    with pytest.raises(NiwakiError, match=f"^{message}"):
        profile(open_bundle(affine_path), 1, 1)


@pytest.mark.parametrize(("line", "told"), [("echo no >&2; echo x >&2", "no"), ("", "exit status")])
def test_tool_fails(
    affine_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, told: str
) -> None:
    tool = tmp_path / "iree-benchmark-module"
    tool.write_text(f"#!/bin/sh\n{line}\nexit 3\n", encoding="utf-8")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    stand_in(monkeypatch, tmp_path)
    with pytest.raises(NiwakiError, match=f"^iree-benchmark-module failed: {told}"):
        profiler.profile(open_bundle(affine_path), 1, 1)
