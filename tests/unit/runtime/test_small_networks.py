"""Networks that are computed on fewer threads than asked for."""

from __future__ import annotations

import gc
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_bundle

from niwaki.errors import NiwakiError
from niwaki.records import DispatchRecord, LayerRecord
from niwaki.runtime import layer_times
from niwaki.runtime.bundle import Bundle, open_bundle
from niwaki.runtime.manifest import Manifest
from niwaki.runtime.profiler import KernelRun
from niwaki.runtime.small_networks import WORTH_SHARING_NS, useful_threads

HALF = WORTH_SHARING_NS // 2


def estimated(manifest: Manifest, *nanoseconds: int, family: str = "gather_gemm") -> Manifest:
    """The manifest, with layers of so many nanoseconds, and one kernel run of `family`."""
    layer = LayerRecord("a", "conv 3x3", "dense", "gather_gemm 8x3", 1, 1, 1, 1)
    return replace(
        manifest,
        layers=[replace(layer, estimated_ns=time) for time in nanoseconds],
        dispatches=[DispatchRecord("a", "main_0", family)],
    )


@pytest.fixture
def bundle(affine_path: Path) -> Bundle:
    return open_bundle(affine_path)


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_useful_threads(bundle: Bundle, threads: int) -> None:
    def useful(manifest: Manifest) -> int:
        return useful_threads(manifest, threads)

    plain = bundle.manifest
    assert useful(estimated(plain, 1)) == 1
    assert useful(estimated(plain, HALF, HALF - 1)) == 1
    assert useful(estimated(plain, HALF, HALF)) == threads
    # Somebody else's kernels, layers without an estimate, no layers: nobody knows.
    assert useful(estimated(plain, 1, family="")) == threads
    assert useful(estimated(plain, 1, 0)) == threads
    assert useful(estimated(plain)) == threads


@pytest.mark.parametrize("time", [1, WORTH_SHARING_NS])
def test_workers_of_a_small_network(bundle: Bundle, time: int) -> None:
    gc.collect()
    before = len(os.listdir("/proc/self/task"))
    small = replace(bundle, manifest=estimated(bundle.manifest, time))
    network = small.load(threads=2)
    # Each device also has one thread that waits for events.
    assert len(os.listdir("/proc/self/task")) - before == (0 if time == 1 else 2) + 1
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_allclose(network(x), tiny_bundle.affine(x), rtol=1e-6)
    assert network.threads == 2
    with pytest.raises(NiwakiError, match=r"^threads is a whole number from 1 on, not 0$"):
        small.load(threads=0)
    del network


@pytest.mark.parametrize(("time", "threads"), [(1, 1), (WORTH_SHARING_NS, 2)])
def test_layers_are_timed_as_the_network_runs(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, time: int, threads: int
) -> None:
    asked: list[int] = []

    def profile(_: Bundle, threads: int, calls: int) -> list[KernelRun]:
        asked.append(threads)
        return [KernelRun("main_0", call, call + 0.5) for call in range(calls)]

    monkeypatch.setattr(layer_times, "profile", profile)
    small = replace(bundle, manifest=estimated(bundle.manifest, time))
    assert layer_times.time_layers(small, threads=2).runs[0].seconds == 0.5
    assert asked == [threads]
