"""The dialect itself, and small conversions between Python values and attributes."""

from collections.abc import Iterable

import torch_mlir.ir as ir
from torch_mlir.dialects import ext
from torch_mlir.dialects._ods_common import _cext

# MLIR looks for a module of the dialect's name, which is this file, whenever it makes a Python
# object of one of the dialect's; if it finds none, it looks again each time.
_cext.globals.append_dialect_search_prefix(__package__)


class SparsePattern(ext.Dialect, name="sparse_pattern"):
    """Layers whose zeros have a shape, from logical form to packed weights and chosen kernels."""


def int_array(values: Iterable[int]) -> ir.Attribute:
    """`array<i64: ...>` in the current context."""
    return ir.DenseI64ArrayAttr.get(list(values))


def ints(attribute: ir.Attribute) -> tuple[int, ...]:
    """The values of an `array<i64: ...>`."""
    return tuple(ir.DenseI64ArrayAttr(attribute))


def int_attr(value: int) -> ir.Attribute:
    """`value : i64` in the current context."""
    return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), value)


def is_int_array(attribute: ir.Attribute) -> bool:
    """Whether `attribute` is an `array<i64: ...>`."""
    try:
        ir.DenseI64ArrayAttr(attribute)
    except ValueError:  # parameters of attributes come as plain `Attribute`: only casting tells
        return False
    return True
