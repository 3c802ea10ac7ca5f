"""Turn the constants of a parsed file that live in its resource section into ordinary ones.

    arith.constant dense_resource<weight> : tensor<2xf32>
      -->
    arith.constant dense<[1.0, 2.0]> : tensor<2xf32>     given, at the end of the file,
    {-# dialect_resources: { builtin: { weight: "0x040000000000803F00000040" } } #-}

torch-mlir writes weights this way, and MLIR's Python bindings cannot read them: they are read from
the file itself. The value of a resource is its alignment as four bytes, then the data, both
little-endian.
"""

from __future__ import annotations

import binascii
import math
import mmap
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import arith

from niwaki.errors import NiwakiError
from niwaki.frontend.dense_attribute import dense_attribute

_KEY = re.compile(r"dense_resource<\"?([^\">]+)\"?>")
_BLOB = re.compile(rb'(?:"([^"]+)"|([\w.$-]+))\s*:\s*"0x([0-9A-Fa-f]*)"')
_NUMPY = {
    "f64": "<f8",
    "f32": "<f4",
    "f16": "<f2",
    "i64": "<i8",
    "i32": "<i4",
    "i16": "<i2",
    "i8": "<i1",
    "ui8": "<u1",
    "i1": "?",
}


def inline_dense_resources(module: ir.Module, path: Path) -> None:
    """Rewrite `module`, parsed from `path`. Raises NiwakiError where the values are missing."""
    users = list(_users(module))
    if not users:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        where = {(found[1] or found[2]).decode(): found.span(3) for found in _BLOB.finditer(text)}
        for op, key in users:
            if key not in where:
                raise NiwakiError(
                    f"{path}: the values of weight {key!r} are not in the file: print it without "
                    "eliding them"
                )
            begin, end = where[key]
            op.attributes["value"] = _attribute(path, key, text[begin:end], op.result.type)


def _users(module: ir.Module) -> Iterator[tuple[arith.ConstantOp, str]]:
    for op in ir.get_ops_of_type(module.operation, arith.ConstantOp):
        value = op.attributes["value"]
        if isinstance(value, ir.DenseElementsAttr):
            continue  # before str(), which would print the weights
        if found := _KEY.match(str(value)):
            yield op, found.group(1)


def _attribute(
    path: Path, key: str, hexadecimal: bytes, type_: ir.RankedTensorType
) -> ir.Attribute:
    dtype = _NUMPY.get(str(type_.element_type))
    if dtype is None:
        raise NiwakiError(f"{path}: weight {key!r} is {type_.element_type}, which is not supported")
    array = np.frombuffer(binascii.unhexlify(hexadecimal), np.uint8)[4:]
    if array.nbytes != np.dtype(dtype).itemsize * math.prod(type_.shape):
        raise NiwakiError(f"{path}: weight {key!r} has {array.nbytes} bytes, which is not {type_}")
    with type_.context:
        return dense_attribute(array.view(dtype).reshape(type_.shape), type_.element_type)
