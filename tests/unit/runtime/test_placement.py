"""Workers on cores of their own, and a caller who lets them finish."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import niwaki
from niwaki.runtime import placement
from niwaki.runtime.placement import available_cores, polite, topology_flags

CORES = sorted(os.sched_getaffinity(0))
NORMAL = os.sched_param(0)


def in_thread(function: Callable[[], Any]) -> Any:
    """What `function` returns in a thread of its own, whose policy and cores it may change."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def named_workers() -> list[set[int]]:
    """Where the workers that run by now may run."""
    tasks = [int(task.name) for task in Path("/proc/self/task").iterdir()]
    workers = [task for task in tasks if "worker" in Path(f"/proc/{task}/comm").read_text()]
    return [os.sched_getaffinity(worker) for worker in workers]


def pinned_cores() -> int:
    """Cores that workers have for themselves."""
    return len({min(cores) for cores in named_workers() if len(cores) == 1})


@pytest.fixture
def eight_cpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four cores of two hardware threads each: 0 and 4, 1 and 5, ..."""
    for cpu in range(8):
        folder = tmp_path / f"cpu{cpu}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{cpu % 4},{cpu % 4 + 4}\n")
    monkeypatch.setattr(placement, "_CPUS", tmp_path)


@pytest.mark.usefixtures("eight_cpus")
@pytest.mark.parametrize(
    ("cpus", "cores"), [({3}, 1), ({1, 5}, 1), ({0, 1}, 2), ({0, 1, 4}, 2), (set(range(8)), 4)]
)
def test_available_cores(monkeypatch: pytest.MonkeyPatch, cpus: set[int], cores: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cpus)
    assert available_cores() == cores
    for threads in (cores - 1, cores + 1):
        assert topology_flags(threads) == [f"--task_topology_group_count={threads}"]
    assert topology_flags(cores)[0] == f"--task_topology_max_group_count={cores}"


@pytest.mark.usefixtures("eight_cpus")
def test_unknown_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 8})
    assert available_cores() == 0
    monkeypatch.delattr(os, "sched_getaffinity")
    assert available_cores() == 0


@pytest.mark.skipif(available_cores() < 2, reason="needs two cores")
@pytest.mark.parametrize("more", [0, 1])
def test_workers_of_a_network(affine_path: Path, more: int) -> None:
    """Each has a core if there is one for each."""
    threads = available_cores() + more
    network = niwaki.load(affine_path, threads=threads)
    patience = time.monotonic() + 10
    expected = 0 if more else threads
    while len(named_workers()) < threads or pinned_cores() != expected:
        assert time.monotonic() < patience, named_workers()
    assert os.sched_getaffinity(0) == set(CORES)
    del network


def test_polite_for_a_while() -> None:
    with polite():
        assert os.sched_getscheduler(0) == os.SCHED_BATCH
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
    with pytest.raises(RuntimeError), polite():
        raise RuntimeError
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_policy_of_the_user_stays() -> None:
    def policies() -> list[int]:
        os.sched_setscheduler(0, os.SCHED_BATCH, NORMAL)
        with polite():
            inside = os.sched_getscheduler(0)
        return [inside, os.sched_getscheduler(0)]

    assert in_thread(policies) == [os.SCHED_BATCH, os.SCHED_BATCH]


@pytest.mark.parametrize(("threads", "policy"), [(1, os.SCHED_OTHER), (2, os.SCHED_BATCH)])
def test_callers_of_workers_are_polite(affine_path: Path, threads: int, policy: int) -> None:
    network = niwaki.load(affine_path, threads=threads)
    lane = network._open_engine().idle.pop()
    seen: list[int] = []

    def noting(*arguments: Any) -> Any:
        seen.append(os.sched_getscheduler(0))
        return lane(*arguments)

    network._open_engine().idle.append(noting)  # type: ignore[arg-type]
    network(np.zeros((2, 3), np.float32))
    assert (seen, os.sched_getscheduler(0)) == ([policy], os.SCHED_OTHER)
    network._open_engine().idle[:] = [lane]
