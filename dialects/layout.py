"""Tensor encoding of the planar halo layout: `tensor<1x64x56x56xf32, #sparse_pattern.planar<...>>`.

The parameters are those of `planar.Planar`, in its order.
"""

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir

from .planar import Planar, Reach, displacements, window_reach
from .sparse_pattern import SparsePattern, int_array, int_attr, ints, is_int_array


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
        """The numbers, which `layout_problem` checks.

        Raises:
            ValueError: one of the first four is no array of integers.
        """
        arrays = (self.sizes, self.pitches, self.strides, self.phases)
        sizes, pitches, strides, phases = map(ints, arrays)
        lead, plane, slack = (ir.IntegerAttr(a).value for a in (self.lead, self.plane, self.slack))
        return Planar(sizes, pitches, strides, phases, lead, plane, slack)


def layout_of(tensor: ir.Type) -> Planar | None:
    """Planar layout of a tensor type; None for a plain row-major tensor."""
    encoding = ir.RankedTensorType(tensor).encoding
    return encoding.layout if isinstance(encoding, PlanarAttr) else None


def with_layout(tensor: ir.Type, layout: Planar | None) -> ir.Type:
    """The same tensor type in another layout."""
    ranked = ir.RankedTensorType(tensor)
    encoding = None if layout is None else PlanarAttr.of(layout)
    return ir.RankedTensorType.get(ranked.shape, ranked.element_type, encoding)


def layout_problem(tensor: ir.Type) -> str:
    """What is wrong with a tensor type's encoding, empty if nothing is."""
    ranked = ir.RankedTensorType(tensor)
    encoding = ranked.encoding
    if encoding is None:
        return ""
    if not isinstance(encoding, PlanarAttr):
        return f"needs tensors that are plain or in planar layout, got {ranked}"
    arrays = (encoding.sizes, encoding.pitches, encoding.strides, encoding.phases)
    if not all(map(is_int_array, arrays)):
        return f"needs sizes, pitches, strides and phases as arrays of integers, got {encoding}"
    layout = encoding.layout
    if problem := layout.problem():
        return f"has a planar layout that {problem}"
    spatial = list(ranked.shape)[2:]
    # A layout of another rank is no layout of this tensor either.
    covered = phase_sizes(spatial, layout.strides) if len(spatial) == len(layout.sizes) else spatial
    if list(layout.sizes) != list(covered):
        return f"has a planar layout of {list(layout.sizes)} for spatial sizes {list(covered)}"
    return ""


def phase_sizes(spatial: Sequence[int], strides: Sequence[int]) -> tuple[int, ...]:
    """Sizes of a phase plane: the last row and column may be missing in later phases."""
    return tuple(-(-size // stride) for size, stride in zip(spatial, strides, strict=True))


def layer_reach(op: Any, kernel: Sequence[int], split: bool) -> Reach:
    """How far an op that slides a window reads around its input.

    With `split`, as convolutions do, it reads phase planes pixel by pixel, else, as poolings do,
    every s-th pixel of an unsplit activation.
    """
    ones = (1,) * len(kernel)
    strides, steps = (ints(op.strides), ones) if split else (ones, ints(op.strides))
    taps = displacements(kernel, ints(op.dilations), ints(op.padding)[: len(kernel)])
    sizes = phase_sizes(op.input.type.shape[2:], strides)
    outputs = op.result.type.shape[2:] or ones
    return window_reach(taps, sizes, outputs, steps, strides)
