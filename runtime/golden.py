"""Golden inputs and outputs: what a network must give, wherever it runs.

A member of a bundle has them one behind another, inputs first, in the order of the signature, each
beginning at a multiple of 64 bytes. The signature tells shapes and types.

How far outputs may be off depends on the network. In some, what one rounding changes grows from
layer to layer; in others it changes which box is the first of a sorted list, and with it all
numbers. So the model has also run on inputs that are a little off, and how far its outputs moved
then, each output's slack, is allowed on top of what every network is.

    slack 0.3     a deep network: off by 0.1 + 0.3 of its largest number, it may still be right
    slack 1       sorted boxes: another order says nothing of the kernels, so it is not compared
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from niwaki.signature import Signature, TensorSpec

from .arrays import aligned_empty
from .container import ALIGNMENT

# Larger ones are no part of a bundle unless somebody asks for them.
SMALL = 4 << 20
# How far floats may be off, as a share of an output's largest magnitude, and with slack above it:
# kernels add up in other orders, and f16 has 11 bits.
TOLERANCES = {"f32": 1e-2, "f16": 1e-1}
# Of whole numbers, such as the class with the highest score, how many may be others.
OTHER_NUMBERS = 0.5


@dataclass(frozen=True)
class Golden:
    """Inputs of a network, and its outputs for these, by the model that was compiled.

    Attributes:
        slack: for each output how far it moves when inputs are a little off, from 0 to 1, as
            `moved` tells it.
    """

    inputs: list[np.ndarray]
    outputs: list[np.ndarray]
    slack: list[float]

    @property
    def size(self) -> int:
        """Bytes in a bundle."""
        return sum(map(_room, (*self.inputs, *self.outputs)))

    def pieces(self) -> Iterator[bytes]:
        """The member's bytes."""
        for array in (*self.inputs, *self.outputs):
            yield array.tobytes() + bytes(_room(array) - array.nbytes)


def golden_size(signature: Signature) -> int:
    """Bytes of the golden arrays of a network."""
    return sum(_rounded(spec.nbytes) for spec in (*signature.inputs, *signature.outputs))


def read_golden(contents: memoryview, signature: Signature, slack: list[float]) -> Golden:
    """The arrays in a member, whose size is that of the signature."""
    begin, found = 0, []
    for spec in (*signature.inputs, *signature.outputs):
        array = aligned_empty(spec.shape, np.dtype(spec.dtype))
        array.reshape(-1).view(np.uint8)[:] = contents[begin : begin + spec.nbytes]
        found.append(array)
        begin += _rounded(spec.nbytes)
    count = len(signature.inputs)
    return Golden(found[:count], found[count:], slack)


def difference(
    outputs: Sequence[np.ndarray],
    golden: Golden,
    specs: Sequence[TensorSpec],
    tolerance: float,
) -> str:
    """How outputs differ from golden ones; empty where they agree.

    Floats may be off by `tolerance` x the largest magnitude, and what is not finite in golden
    outputs may be anything: drivers of GPUs need not keep NaN.
    """
    rows = zip(outputs, golden.outputs, specs, golden.slack, strict=True)
    for output, wanted, spec, slack in rows:
        if slack >= 1:
            continue
        if wanted.dtype.kind not in "fc":
            if moved(output, wanted) > OTHER_NUMBERS + slack:
                return f"output {spec.name} has {np.count_nonzero(output != wanted)} other numbers"
            continue
        usable = np.isfinite(wanted)
        if not np.isfinite(output[usable]).all():
            return f"output {spec.name} is not finite where it should be"
        apart, scale = _apart(output, wanted)
        if apart > (tolerance + slack) * scale:
            return f"output {spec.name} is off by {apart:.3g} where numbers reach {scale:.3g}"
    return ""


def moved(output: np.ndarray, wanted: np.ndarray) -> float:
    """How far an output is off, from 0 to 1, where nothing can be said of it any more.

    Of floats it is a share of the largest magnitude, of whole numbers how many are others.
    """
    if wanted.dtype.kind not in "fc":
        return float(np.mean(output != wanted)) if wanted.size else 0.0
    if not np.array_equal(np.isfinite(output), np.isfinite(wanted)):
        return 1.0
    apart, scale = _apart(output, wanted)
    return min(1.0, apart / scale) if scale else float(apart > 0)


def _apart(output: np.ndarray, wanted: np.ndarray) -> tuple[float, float]:
    """Where floats are finite: how far they are apart at most, and the largest magnitude."""
    usable = np.isfinite(wanted)
    apart = np.abs(np.subtract(output[usable], wanted[usable], dtype=np.float64))
    return float(apart.max(initial=0)), float(np.abs(wanted[usable]).max(initial=0))


def _room(array: np.ndarray) -> int:
    return _rounded(array.nbytes)


def _rounded(size: int) -> int:
    return size + -size % ALIGNMENT
