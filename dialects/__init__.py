"""The `sparse_pattern` dialect. `context()` gives an MLIR context in which it is loaded."""

from niwaki.extras import require

require("compile")

import torch_mlir.ir as ir
from torch_mlir.dialects import torch as torch_dialect

from .attention import (
    PLAIN_AXES,
    TOKENS_FIRST,
    AttentionOp,
    AttentionSizes,
    axes_of,
    build_attention,
    offset_of,
    sizes_of,
)
from .epilogue import YieldOp, add_epilogue, identity, is_available, shape_text
from .kernels import (
    DepthwiseAttr,
    DepthwiseTile,
    GatherGemmAttr,
    GatherGemmTile,
    GatherPoolAttr,
    GatherPoolTile,
    LaneGemmAttr,
    LaneGemmTile,
    MatvecAttr,
    MatvecTile,
    PatternGemmAttr,
    PatternGemmTile,
    RecurrenceAttr,
    RecurrenceTile,
    RowGemmAttr,
    RowGemmTile,
    SpmmAttr,
    SpmmTile,
    ThreadDepthwiseAttr,
    ThreadDepthwiseTile,
    ThreadGemmAttr,
    ThreadGemmTile,
    ThreadMatvecAttr,
    ThreadMatvecTile,
    ThreadRecurrenceAttr,
    ThreadRecurrenceTile,
    WinogradAttr,
    WinogradTile,
)
from .layout import PlanarAttr, layer_reach, layout_of, phase_sizes, with_layout
from .normalize import NORMALIZATIONS, NormalizeOp, build_normalize
from .normalize_planes import NormalizePlanesOp, build_normalize_planes
from .ops import (
    ConcatOp,
    ConvertLayoutOp,
    ConvOp,
    LinearOp,
    PoolOp,
    build_conv,
    build_layer,
    build_linear,
    build_pool,
)
from .packed import BAND_HEAD, LOOKAHEAD, PackedConvOp, PackedLinearOp
from .packed_pattern import PackedPatternConvOp
from .packed_pooled import PackedPooledConvOp
from .packed_recurrent import PackedRecurrentOp, build_packed_recurrent
from .packed_stream import (
    GROUP_COLUMNS,
    LINE_WORDS,
    PackedStreamConvOp,
    PackedStreamLinearOp,
    group_lines,
    head_lines,
)
from .packed_stream_recurrent import PackedStreamRecurrentOp, unit_lines
from .packed_winograd import PackedWinogradConvOp, SquareWindow, square_window
from .panels import in_panels, is_panels, rows_of_linear
from .planar import Planar, Reach, displacements, round_up
from .product import ProductOp, build_product
from .recurrent import NextOp, Recurrence, RecurrentOp, build_recurrent, recurrence
from .rules import window_sizes
from .schemes import scheme_attr
from .sparse_pattern import SparsePattern, int_array, int_attr, ints
from .storage import (
    Attended,
    AttendedInOne,
    Blocks,
    NoArrays,
    Patterns,
    Positions,
    Stream,
    Values,
    arrays_of,
    listed,
)
from .take import TakeOp, build_take, positions_of

__all__ = [
    "BAND_HEAD",
    "GROUP_COLUMNS",
    "LINE_WORDS",
    "LOOKAHEAD",
    "NORMALIZATIONS",
    "PLAIN_AXES",
    "TOKENS_FIRST",
    "Attended",
    "AttendedInOne",
    "AttentionOp",
    "AttentionSizes",
    "Blocks",
    "ConcatOp",
    "ConvOp",
    "ConvertLayoutOp",
    "DepthwiseAttr",
    "DepthwiseTile",
    "GatherGemmAttr",
    "GatherGemmTile",
    "GatherPoolAttr",
    "GatherPoolTile",
    "LaneGemmAttr",
    "LaneGemmTile",
    "LinearOp",
    "MatvecAttr",
    "MatvecTile",
    "NextOp",
    "NoArrays",
    "NormalizeOp",
    "NormalizePlanesOp",
    "PackedConvOp",
    "PackedLinearOp",
    "PackedPatternConvOp",
    "PackedPooledConvOp",
    "PackedRecurrentOp",
    "PackedStreamConvOp",
    "PackedStreamLinearOp",
    "PackedStreamRecurrentOp",
    "PackedWinogradConvOp",
    "PatternGemmAttr",
    "PatternGemmTile",
    "Patterns",
    "Planar",
    "PlanarAttr",
    "PoolOp",
    "Positions",
    "ProductOp",
    "Reach",
    "Recurrence",
    "RecurrenceAttr",
    "RecurrenceTile",
    "RecurrentOp",
    "RowGemmAttr",
    "RowGemmTile",
    "SparsePattern",
    "SpmmAttr",
    "SpmmTile",
    "SquareWindow",
    "Stream",
    "TakeOp",
    "ThreadDepthwiseAttr",
    "ThreadDepthwiseTile",
    "ThreadGemmAttr",
    "ThreadGemmTile",
    "ThreadMatvecAttr",
    "ThreadMatvecTile",
    "ThreadRecurrenceAttr",
    "ThreadRecurrenceTile",
    "Values",
    "WinogradAttr",
    "WinogradTile",
    "YieldOp",
    "add_epilogue",
    "arrays_of",
    "axes_of",
    "build_attention",
    "build_conv",
    "build_layer",
    "build_linear",
    "build_normalize",
    "build_normalize_planes",
    "build_packed_recurrent",
    "build_pool",
    "build_product",
    "build_recurrent",
    "build_take",
    "context",
    "displacements",
    "group_lines",
    "head_lines",
    "identity",
    "in_panels",
    "int_array",
    "int_attr",
    "ints",
    "is_available",
    "is_panels",
    "layer_reach",
    "layout_of",
    "listed",
    "load",
    "offset_of",
    "phase_sizes",
    "positions_of",
    "recurrence",
    "round_up",
    "rows_of_linear",
    "scheme_attr",
    "shape_text",
    "sizes_of",
    "square_window",
    "unit_lines",
    "window_sizes",
    "with_layout",
]


def load(context: ir.Context) -> None:
    """Load the dialect into `context`; once loaded, further calls do nothing."""
    if context.is_dialect_loaded(SparsePattern.DIALECT_NAMESPACE):
        return
    with context, ir.Location.unknown():
        SparsePattern.load()


def context() -> ir.Context:
    """A context with this dialect and torch-mlir's.

    IREE's ops and types may appear in it, unregistered.
    """
    made = ir.Context()
    made.allow_unregistered_dialects = True
    torch_dialect.register_dialect(made)
    load(made)
    return made
