"""How long each layer of a network takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from niwaki.errors import NiwakiError
from niwaki.records import DispatchRecord

from .abi import check_signature
from .bundle import Bundle
from .device import check_device
from .measure import check_calls
from .parts import local_part
from .profiler import KernelRun, profile
from .small_networks import useful_threads

MOST_PROFILED = 10_000  # calls: each kernel run of each is an event in memory


@dataclass(frozen=True)
class RunTime:
    """Time of one kernel run of a call, in seconds.

    `layer`, `kernel` and `family` are those of the `DispatchRecord`.
    """

    layer: str
    kernel: str
    family: str
    seconds: float


@dataclass(frozen=True)
class LayerTimes:
    """Times of all kernel runs of a call, in seconds, and how they were taken.

    They are medians over the fastest quarter of the calls: in others, another process may have
    taken the processor for longer than a kernel runs.

    Attributes:
        runs: one for each entry of the manifest's `dispatches`.
        total: from one call's begin to the next one's.
        other: what of it no kernel ran: IREE's own work between kernels, copies, memory.
        calls: how many were profiled, not counting those to warm up.
        threads: of one call; with several, kernels may run side by side, and the times of `runs`
            add up to more than `total`.
    """

    runs: list[RunTime]
    total: float
    other: float
    calls: int
    threads: int


def time_layers(
    bundle: Bundle, threads: int = 1, warmup: int = 10, repetitions: int = 50
) -> LayerTimes:
    """Profile `repetitions` calls with random inputs, after `warmup` that are not counted.

    Raises:
        NiwakiError: the bundle is not for this machine's CPU, or the numbers are too small.
    """
    bundle = local_part(bundle)
    path, manifest = str(bundle.path), bundle.manifest
    if manifest.driver != "local":
        raise NiwakiError(
            f"{path} was compiled for device '{manifest.driver}' (target {manifest.target}): "
            "layers are timed on CPUs only"
        )
    check_device(manifest, path, None)
    check_signature(bundle)
    check_calls(warmup, repetitions, MOST_PROFILED)
    if threads < 1:
        raise NiwakiError(f"cannot time layers with {threads} threads: need at least 1")
    if not manifest.dispatches:
        raise NiwakiError(f"{path} runs no kernels: there are no layers to time")
    # The time of a call ends where the next one begins, so one more is made.
    count = warmup + repetitions + 1
    runs = profile(bundle, useful_threads(manifest, threads), count)
    return times_of(runs, bundle, count, warmup, threads)


def times_of(
    runs: Sequence[KernelRun], bundle: Bundle, count: int, warmup: int, threads: int
) -> LayerTimes:
    """The times that `count` calls tell, the first `warmup` left out. Errors as `split_calls`."""
    dispatches = bundle.manifest.dispatches
    calls = split_calls(runs, dispatches, count, str(bundle.path))
    return summarize(calls[warmup:], dispatches, threads)


def split_calls(
    runs: Sequence[KernelRun], dispatches: Sequence[DispatchRecord], count: int, path: str
) -> list[list[KernelRun]]:
    """The runs of each of `count` calls.

    Raises:
        NiwakiError: other kernels ran than `dispatches` says.
    """
    size, expected = len(dispatches), [dispatch.kernel for dispatch in dispatches]
    # What runs once, when the module is loaded, comes first, and may be more than a call runs.
    begin = len(runs) - count * size
    calls = [list(runs[at : at + size]) for at in range(begin, len(runs), size)]
    if begin < 0 or any([run.kernel for run in call] != expected for call in calls):
        raise NiwakiError(
            f"{path} runs other kernels than its manifest says, so their times cannot be given to "
            "layers: a network with loops or conditions does; compile any other again"
        )
    return calls


def summarize(
    calls: Sequence[Sequence[KernelRun]], dispatches: Sequence[DispatchRecord], threads: int
) -> LayerTimes:
    """Medians over the fastest calls; the last only tells where the one before it ends."""
    begins = np.array([[run.begin for run in call] for call in calls])
    ends = np.array([[run.end for run in call] for call in calls])
    totals = np.diff(begins.min(axis=1))
    fastest = np.argsort(totals, kind="stable")[: -(-len(totals) // 4)]
    totals, begins, ends = totals[fastest], begins[fastest], ends[fastest]
    medians = np.median(ends - begins, axis=0)
    busy = [covered(begin, end) for begin, end in zip(begins, ends, strict=True)]
    return LayerTimes(
        runs=[
            RunTime(dispatch.layer, dispatch.kernel, dispatch.family, float(median))
            for dispatch, median in zip(dispatches, medians, strict=True)
        ],
        total=float(np.median(totals)),
        other=float(np.median(totals - busy)),
        calls=len(calls) - 1,
        threads=threads,
    )


def covered(begins: npt.NDArray[np.float64], ends: npt.NDArray[np.float64]) -> float:
    """How long at least one of some intervals lasts, overlaps counted once."""
    order = np.argsort(begins)
    begins, ends = begins[order], np.maximum.accumulate(ends[order])
    # Each adds what reaches beyond all before it.
    before = np.concatenate([[begins[0]], ends[:-1]])
    return float(np.maximum(ends - np.maximum(begins, before), 0).sum())
