"""How long a network takes."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from niwaki.errors import NiwakiError
from niwaki.signature import TensorSpec

from .arrays import aligned_empty
from .network import Network

MOST_CALLS = 1_000_000


@dataclass(frozen=True)
class Measurement:
    """Times of single calls, in seconds, and how they were taken."""

    median: float
    p90: float
    minimum: float
    repetitions: int
    warmup: int
    threads: int
    device: str

    def __str__(self) -> str:
        cpu = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        where = cpu if self.device == "local" else self.device
        return (
            f"median {1e3 * self.median:.3f} ms, p90 {1e3 * self.p90:.3f} ms, "
            f"minimum {1e3 * self.minimum:.3f} ms ({self.repetitions} calls after {self.warmup}, "
            f"{where})"
        )


def bench(network: Network, warmup: int = 10, repetitions: int = 50, seed: int = 0) -> Measurement:
    """Call `network` with random inputs, the same for the same `seed`, and time each call.

    The first `warmup` calls are not counted: they fault in the weights and let the clock rate
    settle.

    Raises:
        NiwakiError: `repetitions` is less than 1, `warmup` less than 0, or both together more than
            `MOST_CALLS`.
    """
    check_calls(warmup, repetitions, MOST_CALLS)
    inputs = random_inputs(network.signature.inputs, seed)
    for _ in range(warmup):
        network(*inputs)
    times = np.empty(repetitions)
    for i in range(repetitions):
        begin = time.perf_counter()
        network(*inputs)
        times[i] = time.perf_counter() - begin
    return summary(times, warmup, network.threads, network.device)


def summary(times: npt.NDArray[np.float64], warmup: int, threads: int, device: str) -> Measurement:
    """What single times come to, of calls after `warmup` others."""
    return Measurement(
        median=float(np.median(times)),
        p90=float(np.percentile(times, 90)),
        minimum=float(times.min()),
        repetitions=len(times),
        warmup=warmup,
        threads=threads,
        device=device,
    )


def check_calls(warmup: int, repetitions: int, most: int) -> None:
    """Refuse numbers of calls that are none, or more than `most` in all, which is no measurement.

    Raises:
        NiwakiError: the message names both.
    """
    if repetitions < 1 or warmup < 0:
        raise NiwakiError(
            f"cannot measure {repetitions} calls after {warmup}: need at least 1 after 0"
        )
    if warmup + repetitions > most:
        raise NiwakiError(
            f"cannot measure {repetitions} calls after {warmup}: give at most {most:,} in all"
        )


def random_inputs(specs: tuple[TensorSpec, ...], seed: int = 0) -> list[np.ndarray]:
    """Arrays of the given shapes and dtypes, the same for the same `seed`.

    Normal floats, bytes of the whole range, wider integers 0 or 1: these are often indices into a
    table, which may have only a few rows.
    """
    generator = np.random.default_rng(seed)
    arrays = []
    for spec in specs:
        array = aligned_empty(spec.shape, spec.dtype)
        kind = array.dtype
        if kind.kind == "f":
            array[...] = generator.standard_normal(spec.shape, np.float32)
        elif kind.itemsize == 1 and kind.kind != "b":
            limits = np.iinfo(kind)
            array[...] = generator.integers(limits.min, limits.max, spec.shape, kind, endpoint=True)
        else:
            array[...] = generator.integers(0, 2, spec.shape)
        arrays.append(array)
    return arrays
