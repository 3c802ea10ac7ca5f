"""Kernel attributes: the family chosen for a layer and its tile.

The pass select-kernels sets them, the lowerings read them. A tile's numbers have names, those of
its tuple's fields, and so have the attribute's parameters.
"""

from typing import Any, NamedTuple

import torch_mlir.ir as ir

from .sparse_pattern import SparsePattern, int_attr


class GatherGemmTile(NamedTuple):
    """Filters and vectors of accumulators; tiles of pixels and blocks of a workgroup."""

    filters: int
    vectors: int
    tiles: int
    blocks: int


class LaneGemmTile(NamedTuple):
    """Filters, and `pixels` pixels in each of `rows` rows; rows and blocks of a workgroup."""

    filters: int
    rows: int
    pixels: int
    lines: int
    blocks: int


class GatherPoolTile(NamedTuple):
    """Filters and vectors of pixels in each of `rows` rows; rows and blocks of a workgroup."""

    filters: int
    rows: int
    vectors: int
    lines: int
    blocks: int


class ThreadGemmTile(NamedTuple):
    """Filters and pixels of one thread of a GPU."""

    filters: int
    pixels: int


class ThreadDepthwiseTile(NamedTuple):
    """Neighbouring pixels of one thread of a GPU."""

    pixels: int


class ThreadMatvecTile(NamedTuple):
    """Filters and rows of a block of sums, and threads that share its columns."""

    filters: int
    rows: int
    threads: int


class PatternGemmTile(NamedTuple):
    """Filters of a workgroup, and its tiles of so many vectors of pixels."""

    filters: int
    vectors: int
    tiles: int


class SpmmTile(NamedTuple):
    """Filters of a workgroup, and its tiles of so many vectors; parts of the channels."""

    filters: int
    vectors: int
    tiles: int
    parts: int


class WinogradTile(NamedTuple):
    """Pixels of a tile's side, a register block, and how many of what a workgroup has."""

    outputs: int
    filters: int
    vectors: int
    together: int
    groups: int
    rows: int
    blocks: int


class DepthwiseTile(NamedTuple):
    """Vectors of pixels computed together, and channels of a workgroup."""

    vectors: int
    channels: int


class MatvecTile(NamedTuple):
    """Filters of a block, rows of the input that share a weight; bands of the columns."""

    filters: int
    rows: int
    bands: int


class RecurrenceTile(NamedTuple):
    """Units of a block, sequences that share a weight; bands of the columns."""

    units: int
    sequences: int
    bands: int


class ThreadRecurrenceTile(NamedTuple):
    """Filters of a block of sums, of all gates, and threads that share its columns."""

    filters: int
    threads: int


class RowGemmTile(NamedTuple):
    """Filters and vectors of rows of accumulators; blocks of a workgroup."""

    filters: int
    vectors: int
    blocks: int


def parameters(tile: Any) -> dict[str, type]:
    """Of an attribute that has such a tile."""
    return dict.fromkeys(tile._fields, ir.IntegerAttr)


class Tiled(SparsePattern.Attribute):
    """What kernel attributes have in common: parameters that are the fields of a tile.

    Subclasses say which tile, how a report has it, which layer the kernel may be chosen for, if
    any, and which packed op has the arrays that it reads. (What is annotated is a parameter.)
    """

    tile_type = tuple  # type: Any
    text = ""
    layer = ""
    packed = ""
    takes_strides = False  # itself, of an input that is not split into phases

    @classmethod
    def of(cls, *tile: int, **named: int) -> Any:
        """Of a tile's numbers, in order or by name."""
        return cls.get(*map(int_attr, cls.tile_type(*tile, **named)))

    @property
    def tile(self) -> Any:
        """The numbers by name."""
        parameters = (getattr(self, name) for name in self.tile_type._fields)
        return self.tile_type(*(int(ir.IntegerAttr(one).value) for one in parameters))

    @property
    def family(self) -> str:
        """The family's name."""
        return str(self.attr_name).rpartition(".")[2]

    @property
    def summary(self) -> str:
        """For reports."""
        return f"{self.family} {self.text}".format(*self.tile)


class GatherGemmAttr(Tiled, name="gather_gemm"):
    """Blocks of filters times gathered columns: `filters` x `vectors` accumulators in registers.

    A workgroup computes `blocks` blocks of filters for `tiles` tiles of `vectors` vectors of
    pixels.
    """

    tile_type = GatherGemmTile
    text = "{}x{} tiles {} blocks {}"
    layer = "conv"
    packed = "packed_conv"
    __annotations__ = parameters(GatherGemmTile)


class ThreadGemmAttr(Tiled, name="thread_gemm"):
    """Blocks of filters times gathered columns, on a GPU.

    Each thread computes a block of `filters` filters for `pixels` pixels.
    """

    tile_type = ThreadGemmTile
    text = "{}x{}"
    layer = "conv"
    packed = "packed_stream_conv"
    __annotations__ = parameters(ThreadGemmTile)

    @property
    def height(self) -> int:
        """Filters of a full block."""
        return int(self.tile.filters)


class ThreadDepthwiseAttr(Tiled, name="thread_depthwise"):
    """One filter a channel, on a GPU.

    Each thread computes `pixels` pixels of a row, which share what they read.
    """

    tile_type = ThreadDepthwiseTile
    text = "{}"
    layer = "conv"
    packed = "packed_stream_conv"
    takes_strides = True
    height = 1
    __annotations__ = parameters(ThreadDepthwiseTile)


class LaneGemmAttr(Tiled, name="lane_gemm"):
    """As `gather_gemm`, with filters in lanes: a tile has `pixels` pixels in each of `rows` rows.

    A workgroup computes `blocks` blocks of filters for `lines` rows of the result.
    """

    tile_type = LaneGemmTile
    text = "{}x{}x{} lines {} blocks {}"
    layer = "conv"
    packed = "packed_conv"
    __annotations__ = parameters(LaneGemmTile)


class GatherPoolAttr(Tiled, name="gather_pool"):
    """As `gather_gemm`, with a maximum over windows at the end.

    A tile has `filters` filters and `vectors` vectors of pixels in each of `rows` rows of windows.
    A workgroup computes `blocks` blocks of filters for `lines` rows of the result.
    """

    tile_type = GatherPoolTile
    text = "{}x{}x{} lines {} blocks {}"
    packed = "packed_pooled_conv"
    __annotations__ = parameters(GatherPoolTile)


class PatternGemmAttr(Tiled, name="pattern_gemm"):
    """Channel after channel: the taps of a pattern stay in registers for all kernels that have it.

    A workgroup computes `filters` filters for `tiles` tiles of `vectors` vectors of pixels.
    """

    tile_type = PatternGemmTile
    text = "{}x{} tiles {}"
    layer = "conv"
    packed = "packed_pattern_conv"
    __annotations__ = parameters(PatternGemmTile)


class SpmmAttr(Tiled, name="spmm"):
    """One filter at a time: a tile of `vectors` vectors of pixels stays in registers.

    A workgroup computes `filters` filters for `tiles` tiles, the input's channels in `parts` parts.
    """

    tile_type = SpmmTile
    text = "{}x{} tiles {} parts {}"
    layer = "conv"
    packed = "packed_conv"
    __annotations__ = parameters(SpmmTile)


class WinogradAttr(Tiled, name="winograd"):
    """Convolutions by tiles of `outputs` x `outputs` pixels (see `niwaki.winograd`).

    `filters` x `vectors` of tiles are a register block, `together` filters are computed before
    their products are transformed. A workgroup computes `groups` such groups of filters for
    at most `blocks` blocks of `rows` rows of tiles.
    """

    tile_type = WinogradTile
    text = "{0}x{0} {1}x{2} filters {3}x{4} rows {5} blocks {6}"
    layer = "conv"
    packed = "packed_winograd_conv"
    __annotations__ = parameters(WinogradTile)


class DepthwiseAttr(Tiled, name="depthwise"):
    """One filter a channel: the taps' weights stay in registers.

    A workgroup computes `channels` planes.
    """

    tile_type = DepthwiseTile
    text = "{} channels {}"
    layer = "conv"
    packed = "packed_conv"
    takes_strides = True
    __annotations__ = parameters(DepthwiseTile)


class MatvecAttr(Tiled, name="matvec"):
    """Linear layers: vectors run over `filters` filters of a block.

    `rows` rows of the input share each weight. In each of some `bands` of the columns a block keeps
    filters of its own.
    """

    tile_type = MatvecTile
    text = "{}x{} bands {}"
    layer = "linear"
    packed = "packed_linear"
    __annotations__ = parameters(MatvecTile)


class ThreadMatvecAttr(Tiled, name="thread_matvec"):
    """Linear layers on a GPU: `threads` threads share the columns of a block.

    Each adds up its columns for `filters` filters and `rows` rows of the input.
    """

    tile_type = ThreadMatvecTile
    text = "{}x{} threads {}"
    layer = "linear"
    packed = "packed_stream_linear"
    __annotations__ = parameters(ThreadMatvecTile)

    @property
    def height(self) -> int:
        """Filters of a full block."""
        return int(self.tile.filters)


class RecurrenceAttr(Tiled, name="recurrence"):
    """Recurrent layers: vectors run over `units` units of a block, gate after gate.

    `sequences` of the batch share each weight. In each of some `bands` of the columns a block keeps
    units of its own.
    """

    tile_type = RecurrenceTile
    text = "{}x{} bands {}"
    layer = "recurrent"
    packed = "packed_recurrent"
    __annotations__ = parameters(RecurrenceTile)


class ThreadRecurrenceAttr(Tiled, name="thread_recurrence"):
    """Recurrent layers on a GPU: the threads of a workgroup take all steps of a sequence.

    `threads` of them share the columns of a block of `filters` filters, which are rows of the
    gates.
    """

    tile_type = ThreadRecurrenceTile
    text = "{} threads {}"
    layer = "recurrent"
    packed = "packed_stream_recurrent"
    __annotations__ = parameters(ThreadRecurrenceTile)


class RowGemmAttr(Tiled, name="row_gemm"):
    """Linear layers of many rows: `filters` x `vectors` accumulators, vectors run over rows.

    A workgroup computes `blocks` blocks of filters for `vectors` vectors of rows.
    """

    tile_type = RowGemmTile
    text = "{}x{} blocks {}"
    layer = "linear"
    packed = "packed_linear"
    __annotations__ = parameters(RowGemmTile)


def kernel_problem(op: Any) -> str:
    """What is wrong with the kernel of a layer or packed op, empty if nothing is."""
    kernel: Any = op.operation.attributes["kernel"]
    name = op.operation.name.partition(".")[2]
    known = [each for each in SparsePattern.attributes if takes(each, name)]
    if type(kernel) not in known:
        names = " or ".join(each.attr_name for each in known)
        return f"needs a kernel of {names}, got {kernel}"
    if min(kernel.tile) < 1:
        return f"needs a kernel whose numbers are at least 1, got {kernel}"
    return ""


def takes(attribute: Any, op: str) -> bool:
    """Whether an attribute of the dialect is a kernel for ops of this name."""
    return issubclass(attribute, Tiled) and op in (attribute.layer, attribute.packed)
