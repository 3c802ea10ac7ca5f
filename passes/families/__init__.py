"""All kernel families: a file each, listed here; the passes ask these functions.

To add one: an attribute in `niwaki/dialects/kernels.py`, a generator in `passes/kernels/`, a file
here, and a place in `CHOSEN`. docs/writing-a-pass.md adds one.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from niwaki.dialects import (
    AttentionOp,
    ConvertLayoutOp,
    GatherGemmAttr,
    LaneGemmAttr,
    NormalizeOp,
    NormalizePlanesOp,
    PoolOp,
    ProductOp,
    TakeOp,
    WinogradAttr,
)
from niwaki.records import LayerRecord
from niwaki.targets import Target

from ..choice import Candidate
from .attention import AttentionFamily
from .base import (
    MOST_FILTERS,
    MOST_VECTORS,
    UNLIMITED,
    Asked,
    Family,
    KernelFamily,
    Layer,
    Most,
    Packed,
)
from .copies import CopyFamily, TakeFamily
from .depthwise import DepthwiseFamily
from .gather_gemm import GatherGemmFamily
from .gather_pool import GatherPooled, GatherPoolFamily
from .lane_gemm import LaneGemmFamily, LanePooled
from .matvec import MatvecFamily
from .normalize import NormalizeFamily, NormalizePlanesFamily
from .pattern_gemm import PatternGemmFamily
from .pooled import Fused, PooledForm
from .pooling import PoolingFamily
from .products import ProductFamily
from .recurrence import RecurrenceFamily
from .row_gemm import RowGemmFamily
from .spmm import SpmmFamily
from .thread_depthwise import ThreadDepthwiseFamily
from .thread_gemm import ThreadGemmFamily
from .thread_matvec import ThreadMatvecFamily
from .thread_recurrence import ThreadRecurrenceFamily
from .winograd import WinogradFamily, WinogradPooled

__all__ = [
    "CHOSEN",
    "MOST_FILTERS",
    "MOST_VECTORS",
    "Asked",
    "Family",
    "Fused",
    "KernelFamily",
    "Most",
    "Packed",
    "PooledForm",
    "candidates",
    "chosen_family",
    "family_of",
    "names_of_families",
    "names_with_pooled_form",
    "pooled_form",
    "record_without_weights",
    "storage_of",
]

# Ops with packed weights.
PACKED = "sparse_pattern.packed_"
# What select-kernels chooses from; special ones first.
CHOSEN: list[KernelFamily] = [
    DepthwiseFamily(),
    ThreadDepthwiseFamily(),
    PatternGemmFamily(),
    SpmmFamily(),
    GatherGemmFamily(),
    LaneGemmFamily(),
    ThreadGemmFamily(),
    WinogradFamily(),
    MatvecFamily(),
    ThreadMatvecFamily(),
    RecurrenceFamily(),
    ThreadRecurrenceFamily(),
    RowGemmFamily(),
]
# What has a kernel without a choice.
OTHERS: dict[Any, Family] = {
    PoolOp: PoolingFamily(),
    ConvertLayoutOp: CopyFamily(),
    TakeOp: TakeFamily(),
    AttentionOp: AttentionFamily(),
    NormalizeOp: NormalizeFamily(),
    NormalizePlanesOp: NormalizePlanesFamily(),
    ProductOp: ProductFamily(),
}
# What later passes make of it.
DERIVED: tuple[Family, ...] = (GatherPoolFamily(),)
# What a family does with a maximum over windows behind it.
POOLED: dict[Any, PooledForm] = {
    GatherGemmAttr: GatherPooled(),
    LaneGemmAttr: LanePooled(),
    WinogradAttr: WinogradPooled(),
}


def candidates(
    op: Any,
    target: Target,
    most: Most = UNLIMITED,
    agreed: Hashable = None,
    asked: Asked | None = None,
) -> list[Candidate]:
    """Every candidate of a layer, with its own weights or those `asked`; convolutions have layouts.

    On a GPU there is one, without an estimate. Some families have one more for weights that are
    stored already, as `storage_of` tells it.
    """
    layer, kind = Layer(op, target, most, agreed, asked), op.operation.name.rpartition(".")[2]
    return [
        candidate
        for family in CHOSEN
        if target.backend in family.backends and family.kernel.layer == kind
        for candidate in family.candidates(layer)
    ]


def chosen_family(kernel: Any) -> KernelFamily:
    """The family of a layer's kernel attribute."""
    return next(family for family in CHOSEN if isinstance(kernel, family.kernel))


def names_of_families() -> frozenset[str]:
    """Those of kernels for layers with weights, as bundles name them."""
    return frozenset(name for family in (*CHOSEN, *DERIVED) for name in family.kernel_names())


def storage_of(candidate: Candidate) -> Hashable:
    """How a candidate has a layer's weights stored."""
    return candidate.scheme, chosen_family(candidate.kernel).storage(candidate.kernel)


def family_of(op: Any) -> Family | None:
    """The family that has the kernel of an op; None if it is no op that lowering takes."""
    if not op.operation.name.startswith(PACKED):
        return OTHERS.get(type(op))
    every = (*CHOSEN, *DERIVED)
    return next(family for family in every if isinstance(op.kernel, family.kernel))


def record_without_weights(op: Any, target: Target) -> LayerRecord | None:
    """What reports show of a layer that has a kernel and no weights; None of any other op."""
    family = OTHERS.get(type(op))
    return None if family is None else family.record(op, target)


def pooled_form(conv: Any) -> PooledForm | None:
    """What the family of a packed convolution does with a pooling behind it, if anything."""
    return POOLED.get(type(conv.kernel))


def names_with_pooled_form() -> list[str]:
    """Families that have one."""
    return [kernel.attr_name.rpartition(".")[2] for kernel in POOLED]
