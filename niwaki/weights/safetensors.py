"""Safetensors, with the bit masks of compressed-tensors where there are some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from niwaki.errors import NiwakiError

from .bitmask import unpack_bitmasks
from .contents import Array, Weights, widen_bfloat16

DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip
# Bits of the exponent and of the mantissa; whether the largest exponent is that of inf and NaN.
FLOAT8 = {"F8_E4M3": (4, 3, False), "F8_E5M2": (5, 2, True)}


def read(path: Path) -> Weights:
    """The tensors of a safetensors file.

    Raises:
        NiwakiError: the file is damaged, or of an element type that is not supported.
    """
    from safetensors import SafetensorError, deserialize

    try:
        tensors = deserialize(path.read_bytes())  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise NiwakiError(f"{path}: no safetensors file, or damaged: {error}") from None
    weights = Weights({name: _array(path, name, tensor) for name, tensor in tensors})
    unpack_bitmasks(path, weights)
    return weights


def _array(path: Path, name: str, tensor: dict[str, Any]) -> Array:
    kind, data = tensor["dtype"], tensor["data"]
    if kind == "BF16":
        values = widen_bfloat16(np.frombuffer(data, "<u2"))
    elif kind in FLOAT8:
        values = _float8(*FLOAT8[kind])[np.frombuffer(data, np.uint8)]
    elif kind in DTYPES:
        values = np.frombuffer(data, DTYPES[kind])
    else:
        raise NiwakiError(f"{path}: {name} is {kind}, which is not supported: store float32")
    return values.reshape(tensor["shape"])


def _float8(exponent: int, mantissa: int, has_infinity: bool) -> Array:
    """All 256 values of a float8."""
    code = np.arange(256)
    power, fraction = code >> mantissa & (1 << exponent) - 1, code & (1 << mantissa) - 1
    bias = (1 << exponent - 1) - 1
    normal = power > 0
    scale = np.exp2(np.maximum(power, 1) - bias - mantissa)
    value = (fraction + (normal << mantissa)) * scale
    if has_infinity:
        value = np.where(power == (1 << exponent) - 1, np.where(fraction, np.nan, np.inf), value)
    else:
        value = np.where(code & 127 == 127, np.nan, value)  # of e4m3fn, the one in use
    return np.where(code > 127, -value, value).astype(np.float32)
