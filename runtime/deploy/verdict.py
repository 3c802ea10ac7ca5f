"""Whether a device computed the right thing: the same in every run, and what is expected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from niwaki.errors import NiwakiError
from niwaki.printable import printable

from ..manifest import Manifest
from .examples import Expected

# Largest difference, over the largest magnitude of an output: other processors round otherwise.
LIMIT, HALF_LIMIT = 1e-3, 2e-2


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
    is_half = any(layer.element == "f16" for layer in manifest.layers)
    worst = 0.0
    pairs = zip(manifest.signature.outputs, outputs, expected.outputs, strict=True)
    for spec, found, wanted in pairs:
        error = distance(found, wanted)
        limit = HALF_LIMIT if is_half or spec.dtype == "float16" else LIMIT
        if not error <= (limit if found.dtype.kind == "f" else 0):
            raise NiwakiError(
                f"output {printable(spec.name)} is wrong on this device: off by {error:.2g} of its "
                f"largest magnitude, compared with {expected.source}; do not use this bundle "
                f"there, and report device and target ({manifest.target})"
            )
        worst = max(worst, error)
    return (
        f"outputs off by at most {worst:.1e} of the largest magnitude, compared with "
        f"{expected.source}"
    )


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
