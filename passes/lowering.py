"""What layers must be like before they can be lowered."""

from __future__ import annotations

from typing import Any

from niwaki.dialects import ConvOp, PoolOp, layout_of
from niwaki.targets import Target

from .base import PassFailure, nested_ops
from .families import family_of
from .families.pooling import is_whole_plane
from .layer_kinds import kind_of

AT_THE_TOP = "kernels are called from the top of a function alone"


def check_kernel(op: Any, target: Target) -> None:
    """Refuse a layer that this target has no kernel for.

    Raises:
        PassFailure: it names the kernel and the pass that chooses others.
    """
    family = family_of(op)
    if family is not None and target.backend not in family.backends:
        told = f"has a kernel of {op.kernel.attr_name}, which this target has not"
        raise PassFailure(op.location, f"{told}: run sparse-pattern-select-kernels for it")


def check_prepared(op: Any) -> None:
    """Refuse a layer that an earlier pass should have changed: IREE would not know it.

    Raises:
        PassFailure: it names the pass.
    """
    for inner in nested_ops(op):
        if is_layer(inner):
            raise PassFailure(inner.location, f"is inside {op.operation.name}: {AT_THE_TOP}")
    if isinstance(op, (ConvOp, PoolOp)) and not has_layouts(op):
        missing, run = "layout", "assign-layouts"
    elif kind_of(op) is not None and "kernel" not in op.attributes:
        missing, run = "kernel", "select-kernels"
    elif kind_of(op) is not None:
        missing, run = "packed weights", "compact-storage"
    else:
        return
    raise PassFailure(op.location, f"has no {missing}: run sparse-pattern-{run} before")


def has_layouts(op: Any) -> bool:
    """Whether a convolution or pooling has planar activations wherever kernels want them."""
    reads = layout_of(op.input.type) is not None
    writes = layout_of(op.result.type) is not None
    if isinstance(op, PoolOp):
        reads |= is_whole_plane(op)
        writes |= all(size == 1 for size in op.result.type.shape[2:])
    return reads and writes


def is_layer(op: Any) -> bool:
    """Whether an op is computed by a kernel, once it is in the form that this takes."""
    return kind_of(op) is not None or family_of(op) is not None
