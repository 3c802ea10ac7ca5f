"""A bundle checks itself: on a device that is new to it, its parts run its golden input.

    vulkan-adreno     twice, right and alike     2.1 ms
    arm64-android     twice, right and alike     4.0 ms     --> vulkan-adreno runs from now on

Drivers of GPUs are of many makers and ages. A part that is wrong, not repeatable or fails gives way
to the others, and the user is told once: what was found is kept in the user's cache, for this
bundle on this device. The golden input is run, not all of a network's: that a part is right for it
says much of kernels, and nothing of the network's accuracy.
"""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from niwaki.atomic import atomic_file
from niwaki.errors import NiwakiError, NiwakiWarning
from niwaki.signature import flatten

from .begun_checks import MOST, begun, ended
from .bundle import Bundle
from .device import device_identity
from .golden import TOLERANCES, Golden, difference
from .json_fields import decode
from .user_cache import cache_place

# Calls of a part: one that gives wrong results now and then rarely gives the same ones twice.
CALLS = 2

# Runs a part's golden input some times: outputs of each call, and seconds of the last one.
Runner = Callable[[Bundle, Golden, int], tuple[list[list[np.ndarray]], float]]


@dataclass(frozen=True)
class Verdict:
    """What was found about a part on a device.

    Attributes:
        target: the part's.
        problem: what is wrong with it, empty if nothing is.
        nanoseconds: of its last call.
    """

    target: str
    problem: str
    nanoseconds: int


def best_part(bundle: Bundle, parts: Sequence[Bundle], golden: Golden, run: Runner) -> Bundle:
    """Of parts that this machine can run the fastest that gives the golden outputs.

    Raises:
        NiwakiError: none does.
    """
    kept = [kept_verdict(bundle, part) for part in parts]
    if all(verdict is not None and verdict.problem for verdict in kept):
        # What failed for want of memory, say, need not fail again.
        kept = [None] * len(parts)
    verdicts, new = [], []
    for part, known in zip(parts, kept, strict=True):
        verdict = known or _checked(bundle, part, golden, run)
        if known is None:
            keep(bundle, part, verdict)
            new.append(verdict)
        verdicts.append(verdict)
    tell(bundle, new, verdicts)
    right = [
        (verdict.nanoseconds, number)
        for number, verdict in enumerate(verdicts)
        if not verdict.problem
    ]
    if not right:
        told = "; ".join(f"{one.target}: {one.problem}" for one in verdicts)
        raise NiwakiError(
            f"{bundle.path} does not compute on this machine what its model does ({told}); "
            "compile it for another target, and please report this line; --no-golden leaves out "
            "the check"
        )
    return parts[min(right)[1]]


def _checked(bundle: Bundle, part: Bundle, golden: Golden, run: Runner) -> Verdict:
    """What a check finds, unless others have ended the processes that made them."""
    try:
        place = verdict_place(bundle, part)
    except NiwakiError:  # there is no cache, and nothing is known of other processes
        return verdict_of(part, golden, run)
    if ended(place) >= MOST:
        problem = f"ended the process that checked it, {MOST} times"
        return Verdict(part.manifest.target, problem, 0)
    with begun(place):
        return verdict_of(part, golden, run)


def verdict_of(part: Bundle, golden: Golden, run: Runner) -> Verdict:
    """Run a part some times on its golden input."""
    target, specs = part.manifest.target, part.manifest.signature.outputs
    try:
        calls, seconds = run(part, golden, CALLS)
    except (NiwakiError, RuntimeError, ValueError, MemoryError) as error:
        told = next(iter(str(error).splitlines()), "") or type(error).__name__
        return Verdict(target, f"fails: {told}", 0)
    narrow = any(layer.element != "f32" for layer in part.layers)
    tolerance = TOLERANCES["f16" if narrow else "f32"]
    problems = [difference(outputs, golden, specs, tolerance) for outputs in calls]
    if problem := next(filter(None, problems), ""):
        return Verdict(target, problem, 0)
    first, *others = calls
    for outputs in others:
        pairs = zip(first, outputs, strict=True)
        if not all(one.tobytes() == other.tobytes() for one, other in pairs):
            return Verdict(target, "gives other results when it runs again", 0)
    return Verdict(target, "", round(1e9 * seconds))


def run_part(part: Bundle, golden: Golden, calls: int) -> tuple[list[list[np.ndarray]], float]:
    """Load a part for as long as it takes to call it some times."""
    from .network import Network

    found, seconds = [], 0.0
    with Network.of_part(part) as network:
        for _ in range(calls):
            begin = time.perf_counter()
            result = network(*golden.inputs)
            seconds = time.perf_counter() - begin
            found.append([np.asarray(output) for output in flatten(result)[0]])
    return found, seconds


def tell(bundle: Bundle, new: Sequence[Verdict], verdicts: Sequence[Verdict]) -> None:
    """Warn of parts that were found to be wrong now, if others are right."""
    right = [one.target for one in verdicts if not one.problem]
    for one in new:
        if one.problem and right:
            warnings.warn(
                f"{bundle.path}: on this device the code for {one.target} is not used: "
                f"{one.problem}; code for {' or '.join(right)} runs instead. Please report this "
                f"line (Niwaki {bundle.manifest.niwaki}, IREE {bundle.manifest.iree})",
                NiwakiWarning,
                stacklevel=2,
            )


def verdict_place(bundle: Bundle, part: Bundle) -> Path:
    """Where the verdict on a part of a bundle on this machine's device is kept."""
    key = json.dumps([bundle.manifest.golden, part.digests, identity_of(part)], sort_keys=True)
    return cache_place(f"checks/{hashlib.sha256(key.encode()).hexdigest()[:32]}.json")


def identity_of(part: Bundle) -> list[str]:
    """What tells the devices that a part runs on from others.

    Raises:
        NiwakiError: there is no such device.
    """
    drivers = sorted({leaf.manifest.driver for leaf in part.leaves})
    return [device_identity(driver) for driver in drivers]


def kept_verdict(bundle: Bundle, part: Bundle) -> Verdict | None:
    """What was found before; None if nothing was, or the file is damaged."""
    try:
        return decode(Verdict, json.loads(verdict_place(bundle, part).read_bytes()), "")
    except (OSError, ValueError, RecursionError, NiwakiError):
        return None


def keep(bundle: Bundle, part: Bundle, verdict: Verdict) -> None:
    """Keep a verdict; without a cache the check is repeated."""
    with suppress(OSError, NiwakiError):
        place = verdict_place(bundle, part)
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(place) as file:
            file.write(json.dumps(asdict(verdict)).encode())
