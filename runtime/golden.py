"""Golden inputs and outputs: what a network must give, wherever it runs.

A member of a bundle has them one behind another, inputs first, in the order of the signature, each
beginning at a multiple of 64 bytes. The signature tells shapes and types.
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
# How far floats may be off, as a share of an output's largest magnitude: kernels add up in other
# orders, and f16 has 11 bits. A wrong kernel is off by more than any rounding of a deep network.
TOLERANCES = {"f32": 1e-2, "f16": 1e-1}


@dataclass(frozen=True)
class Golden:
    """Inputs of a network, and its outputs for these, by the model that was compiled."""

    inputs: list[np.ndarray]
    outputs: list[np.ndarray]

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


def read_golden(contents: memoryview, signature: Signature) -> Golden:
    """The arrays in a member, whose size is that of the signature."""
    begin, found = 0, []
    for spec in (*signature.inputs, *signature.outputs):
        array = aligned_empty(spec.shape, np.dtype(spec.dtype))
        array.reshape(-1).view(np.uint8)[:] = contents[begin : begin + spec.nbytes]
        found.append(array)
        begin += _rounded(spec.nbytes)
    count = len(signature.inputs)
    return Golden(found[:count], found[count:])


def difference(
    outputs: Sequence[np.ndarray],
    golden: Golden,
    specs: Sequence[TensorSpec],
    tolerance: float,
) -> str:
    """How outputs differ from golden ones; empty where they agree.

    Floats may be off by `tolerance` x the largest magnitude. With rounding whole numbers, such as
    the class with the highest score, may be others, so of these only a few must agree.
    """
    for output, wanted, spec in zip(outputs, golden.outputs, specs, strict=True):
        if wanted.dtype.kind not in "fc":
            if wanted.size and np.mean(output != wanted) > 0.5:
                return f"output {spec.name} has {np.count_nonzero(output != wanted)} other numbers"
            continue
        usable = np.isfinite(wanted)
        if not np.array_equal(usable, np.isfinite(output)):
            return f"output {spec.name} is not finite where it should be"
        apart = np.abs(np.subtract(output[usable], wanted[usable], dtype=np.float64))
        scale = np.abs(wanted[usable]).max(initial=0)
        if apart.max(initial=0) > tolerance * scale:
            told = f"off by {apart.max():.3g} where numbers reach {scale:.3g}"
            return f"output {spec.name} is {told}"
    return ""


def _room(array: np.ndarray) -> int:
    return _rounded(array.nbytes)


def _rounded(size: int) -> int:
    return size + -size % ALIGNMENT
