"""Tensor encoding of the planar halo layout: `tensor<1x64x56x56xf32, #sparse_pattern.planar<...>>`.

The parameters are those of `planar.Planar`, in its order.
"""

from typing import Any

import torch_mlir.ir as ir

from .dialect import SparsePattern, int_array, int_attr, ints
from .planar import Planar


class PlanarAttr(SparsePattern.Attribute, name="planar"):
    """Where the values of an activation lie in a flat buffer."""

    sizes: Any
    pitches: Any
    strides: Any
    phases: Any
    lead: ir.IntegerAttr
    plane: ir.IntegerAttr
    slack: ir.IntegerAttr

    @classmethod
    def of(cls, layout: Planar) -> "PlanarAttr":
        return cls.get(
            int_array(layout.sizes),
            int_array(layout.pitches),
            int_array(layout.strides),
            int_array(layout.phases),
            int_attr(layout.lead),
            int_attr(layout.plane),
            int_attr(layout.slack),
        )

    @property
    def layout(self) -> Planar:
        lead, plane, slack = (ir.IntegerAttr(a).value for a in (self.lead, self.plane, self.slack))
        return Planar(ints(self.sizes), ints(self.pitches), ints(self.strides), ints(self.phases), lead, plane, slack)


def layout_of(tensor: ir.Type) -> Planar | None:
    """Planar layout of a tensor type; None for a plain row-major tensor."""
    encoding = ir.RankedTensorType(tensor).encoding
    return encoding.layout if isinstance(encoding, PlanarAttr) else None


def with_layout(tensor: ir.Type, layout: Planar | None) -> ir.Type:
    """The same tensor type in another layout."""
    ranked = ir.RankedTensorType(tensor)
    encoding = None if layout is None else PlanarAttr.of(layout)
    return ir.RankedTensorType.get(ranked.shape, ranked.element_type, encoding)
