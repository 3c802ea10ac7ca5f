"""Whether a device computed the right thing: the same in every run, and what is expected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from niwaki.errors import NiwakiError
from niwaki.printable import printable

from ..golden import OTHER_NUMBERS, TOLERANCES
from ..manifest import Manifest
from .examples import Expected

# How far outputs may be off, by the type of layers, where the same code has computed them on
# another processor. Outputs of the model itself, which adds up otherwise, are golden ones.
SAME_CODE = {"f32": 1e-3, "f16": 2e-2}


def check_repeatable(manifest: Manifest, runs: Sequence[Sequence[np.ndarray]]) -> None:
    """Refuse outputs that are not the same in all runs, bit for bit.

    Raises:
        NiwakiError: the message names the output, and in how many places it differs.
    """
    first, *others = runs
    for spec, expected, *found in zip(manifest.signature.outputs, first, *others, strict=True):
        for number, array in enumerate(found, 2):
            wrong = int((_bits(array) != _bits(expected)).any(axis=1).sum())
            if wrong:
                raise NiwakiError(
                    f"output {printable(spec.name)} is not repeatable on this device: run {number} "
                    f"differs from run 1 in {wrong} of {array.size} numbers; do not use this "
                    f"bundle there, and report device and target ({manifest.target})"
                )


def compare(manifest: Manifest, outputs: Sequence[np.ndarray], expected: Expected) -> str:
    """One line on how far outputs are off.

    Raises:
        NiwakiError: one is further off than rounding explains; the message names it.
    """
    if expected.outputs is None:
        return f"nothing was compared: {expected.source}"
    narrow = any(layer.element != "f32" for layer in manifest.layers)
    golden = expected.slack is not None
    tolerances, most = (TOLERANCES, OTHER_NUMBERS) if golden else (SAME_CODE, 0.0)
    slacks = expected.slack or [0.0] * len(outputs)
    tolerance = tolerances["f16" if narrow else "f32"]
    worst = 0.0
    rows = zip(manifest.signature.outputs, outputs, expected.outputs, slacks, strict=True)
    for spec, found, wanted, slack in rows:
        if slack >= 1:  # rounding may give anything
            continue
        is_float = spec.kind.kind == "f"
        error = distance(found, wanted) if is_float else _share(found != wanted)
        if error > slack + (tolerance if is_float else most):
            told = "of its largest magnitude" if is_float else "of its numbers"
            raise NiwakiError(
                f"output {printable(spec.name)} is wrong on this device: off by {error:.2g} "
                f"{told}, compared with {expected.source}; do not use this bundle there, and "
                f"report device and target ({manifest.target})"
            )
        worst = max(worst, error)
    return (
        f"outputs off by at most {worst:.1e} of the largest magnitude, compared with "
        f"{expected.source}"
    )


def _share(other: np.ndarray) -> float:
    return float(np.mean(other)) if other.size else 0.0


def distance(found: np.ndarray, wanted: np.ndarray) -> float:
    """Largest difference over the largest magnitude; infinite where only one is finite."""
    if not wanted.size:
        return 0.0
    found, wanted = found.astype(np.float64), wanted.astype(np.float64)
    finite = np.isfinite(wanted)
    if not np.array_equal(found[~finite], wanted[~finite], equal_nan=True):
        return float("inf")
    if not np.isfinite(found[finite]).all():
        return float("inf")
    off = np.abs(found[finite] - wanted[finite]).max(initial=0.0)
    magnitude = np.abs(wanted[finite]).max(initial=0.0)
    return float(off / magnitude) if magnitude else float(off and float("inf"))


def _bits(array: np.ndarray) -> np.ndarray:
    """The bytes of each number, in a row: NaN is like NaN, and 0 is not -0."""
    return np.frombuffer(array.tobytes(), np.uint8).reshape(-1, array.dtype.itemsize)
