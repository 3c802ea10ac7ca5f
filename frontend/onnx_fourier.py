"""Fourier transforms as products by a constant matrix.

DFT(x: 2x10x1)   -->   Reshape(MatMul(x as 2x10, the transforms of 10 unit vectors), [2, 10, 2])
STFT(x)          -->   DFT(Gather(x, frames of positions) * window)
"""

from __future__ import annotations

import numpy as np

from niwaki.frontend.onnx_graph import Array
from niwaki.frontend.onnx_steps import Steps

_LONGEST = 2048  # of complex numbers; the matrix is of 64 MiB then


def dft(steps: Steps) -> None:
    shape = steps.input_shape()
    given, inverse = steps.input_constant(1), bool(steps.attribute("inverse", 0))
    place = steps.input_constant(2)
    axis = (-2 if place is None else int(place)) % len(shape)
    if axis == len(shape) - 1 or shape[-1] > 2:
        raise steps.refused("is not over complex numbers", "put both parts last, and not on `axis`")
    made = None if given is None else int(given)
    if max(shape[axis], made or 0) > _LONGEST:
        raise steps.refused("is too long", f"at most {_LONGEST} numbers are supported")
    onesided = bool(steps.attribute("onesided", 0))
    matrix = _transform(shape[axis], shape[-1], made, inverse, onesided)
    length, parts, new_length, new_parts = matrix.shape
    others = [number for number in range(len(shape) - 1) if number != axis]
    order = [*others, axis, len(shape) - 1]
    sizes = [shape[number] for number in others]
    rows = steps.op("Transpose", steps.node.input[0], perm=order)
    rows = steps.op("Reshape", rows, steps.constant([-1, length * parts]))
    rows = steps.op("MatMul", rows, steps.number(matrix.reshape(length * parts, -1)))
    rows = steps.op("Reshape", rows, steps.constant([*sizes, new_length, new_parts]))
    steps.op("Transpose", rows, perm=np.argsort(order).tolist())


def _transform(length: int, parts: int, made: int | None, inverse: bool, onesided: bool) -> Array:
    """What becomes of each unit vector, which is real or imaginary where there are two `parts`."""
    units = np.eye(length * parts).reshape(-1, length, parts)
    values = units[..., 0] + (1j * units[..., 1] if parts == 2 else 0)
    if inverse and onesided:
        results = np.fft.irfft(values, made)[..., None]
    else:
        numbers = (np.fft.ifft if inverse else np.fft.fft)(values, made)
        kept = numbers.shape[1] // 2 + 1 if onesided else numbers.shape[1]
        results = np.stack([numbers.real, numbers.imag], -1)[:, :kept]
    return results.reshape(length, parts, *results.shape[1:])


def stft(steps: Steps) -> None:
    shape = steps.input_shape()
    signal, window = steps.node.input[0], steps.input(2)
    if len(shape) != 3:
        raise steps.refused("is of a signal without a last dimension of 1 or 2", "unsqueeze it")
    step, given = steps.input_constant(1), steps.input_constant(3)
    assert step is not None  # which is checked before
    default = steps.graph.type_of(window).shape[0] if window else shape[1]
    length = default if given is None else int(given)
    starts = np.arange(0, shape[1] - length + 1, int(step))
    frames = steps.op("Gather", signal, steps.constant(starts[:, None] + np.arange(length)), axis=1)
    if window:
        column = steps.op("Reshape", window, steps.constant([length, 1]))
        frames = steps.op("Mul", frames, column)
    steps.op("DFT", frames, onesided=steps.attribute("onesided", 1))
