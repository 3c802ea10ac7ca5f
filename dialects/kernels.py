"""Kernel attributes: the family chosen for a layer and its tile.

The pass select-kernels sets them, the lowerings read them.
"""

from typing import Any

import torch_mlir.ir as ir

from .dialect import SparsePattern, int_attr


class GatherGemmAttr(SparsePattern.Attribute, name="gather_gemm"):
    """Blocks of filters times gathered columns: `filters` x `vectors` accumulators in registers.

    A workgroup computes `blocks` blocks of filters for `tiles` tiles of `vectors` vectors of
    pixels. On a GPU a vector is one pixel of each thread.
    """

    filters: ir.IntegerAttr
    vectors: ir.IntegerAttr
    tiles: ir.IntegerAttr
    blocks: ir.IntegerAttr

    @classmethod
    def of(cls, filters: int, vectors: int, tiles: int, blocks: int) -> "GatherGemmAttr":
        return cls.get(int_attr(filters), int_attr(vectors), int_attr(tiles), int_attr(blocks))

    @property
    def tile(self) -> tuple[int, int, int, int]:
        """filters, vectors, tiles, blocks."""
        return (_int(self.filters), _int(self.vectors), _int(self.tiles), _int(self.blocks))

    @property
    def summary(self) -> str:
        """For reports."""
        return "gather_gemm {}x{} tiles {} blocks {}".format(*self.tile)


class GatherPoolAttr(SparsePattern.Attribute, name="gather_pool"):
    """As `gather_gemm`, with a maximum over windows at the end.

    A tile has `filters` filters and `vectors` vectors of pixels in each of `rows` rows of windows.
    A workgroup computes `blocks` blocks of filters for `lines` rows of the result.
    """

    filters: ir.IntegerAttr
    rows: ir.IntegerAttr
    vectors: ir.IntegerAttr
    lines: ir.IntegerAttr
    blocks: ir.IntegerAttr

    @classmethod
    def of(cls, *tile: int) -> "GatherPoolAttr":
        """Of the five numbers in the order of `tile`."""
        return cls.get(*map(int_attr, tile))

    @property
    def tile(self) -> tuple[int, int, int, int, int]:
        """filters, rows, vectors, lines, blocks."""
        filters, rows, vectors = map(_int, (self.filters, self.rows, self.vectors))
        return (filters, rows, vectors, _int(self.lines), _int(self.blocks))

    @property
    def summary(self) -> str:
        """For reports."""
        return "gather_pool {}x{}x{} lines {} blocks {}".format(*self.tile)


class PatternGemmAttr(SparsePattern.Attribute, name="pattern_gemm"):
    """Channel after channel: the taps of a pattern stay in registers for all kernels that have it.

    A workgroup computes `filters` filters for `tiles` tiles of `vectors` vectors of pixels.
    """

    filters: ir.IntegerAttr
    vectors: ir.IntegerAttr
    tiles: ir.IntegerAttr

    @classmethod
    def of(cls, filters: int, vectors: int, tiles: int) -> "PatternGemmAttr":
        return cls.get(int_attr(filters), int_attr(vectors), int_attr(tiles))

    @property
    def tile(self) -> tuple[int, int, int]:
        """filters, vectors, tiles."""
        return (_int(self.filters), _int(self.vectors), _int(self.tiles))

    @property
    def summary(self) -> str:
        """For reports."""
        return "pattern_gemm {}x{} tiles {}".format(*self.tile)


class SpmmAttr(SparsePattern.Attribute, name="spmm"):
    """One filter at a time: a tile of `vectors` vectors of pixels stays in registers.

    A workgroup computes `filters` filters for `tiles` tiles, the input's channels in `parts` parts.
    """

    filters: ir.IntegerAttr
    vectors: ir.IntegerAttr
    tiles: ir.IntegerAttr
    parts: ir.IntegerAttr

    @classmethod
    def of(cls, filters: int, vectors: int, tiles: int, parts: int) -> "SpmmAttr":
        return cls.get(int_attr(filters), int_attr(vectors), int_attr(tiles), int_attr(parts))

    @property
    def tile(self) -> tuple[int, int, int, int]:
        """filters, vectors, tiles, parts."""
        return (_int(self.filters), _int(self.vectors), _int(self.tiles), _int(self.parts))

    @property
    def summary(self) -> str:
        """For reports."""
        return "spmm {}x{} tiles {} parts {}".format(*self.tile)


class WinogradAttr(SparsePattern.Attribute, name="winograd"):
    """Convolutions by tiles of `outputs` x `outputs` pixels (see `niwaki.winograd`).

    `filters` x `vectors` of tiles are a register block, `together` filters are computed before
    their products are transformed. A workgroup computes `groups` such groups of filters for
    at most `blocks` blocks of `rows` rows of tiles.
    """

    outputs: ir.IntegerAttr
    filters: ir.IntegerAttr
    vectors: ir.IntegerAttr
    together: ir.IntegerAttr
    groups: ir.IntegerAttr
    rows: ir.IntegerAttr
    blocks: ir.IntegerAttr

    @classmethod
    def of(cls, *tile: int) -> "WinogradAttr":
        """Of the seven numbers in the order of `tile`."""
        return cls.get(*map(int_attr, tile))

    @property
    def tile(self) -> tuple[int, ...]:
        """outputs, filters, vectors, together, groups, rows, blocks."""
        filters = (self.filters, self.vectors, self.together, self.groups)
        return tuple(map(_int, (self.outputs, *filters, self.rows, self.blocks)))

    @property
    def summary(self) -> str:
        """For reports."""
        text = "winograd {0}x{0} {1}x{2} filters {3}x{4} rows {5} blocks {6}"
        return text.format(*self.tile)


class DepthwiseAttr(SparsePattern.Attribute, name="depthwise"):
    """One filter a channel: the taps' weights stay in registers.

    A workgroup computes `channels` planes.
    """

    vectors: ir.IntegerAttr
    channels: ir.IntegerAttr

    @classmethod
    def of(cls, vectors: int, channels: int) -> "DepthwiseAttr":
        return cls.get(int_attr(vectors), int_attr(channels))

    @property
    def tile(self) -> tuple[int, int]:
        """vectors, channels."""
        return (_int(self.vectors), _int(self.channels))

    @property
    def summary(self) -> str:
        """For reports."""
        return "depthwise {} channels {}".format(*self.tile)


class MatvecAttr(SparsePattern.Attribute, name="matvec"):
    """Linear layers: vectors run over `filters` filters of a block.

    `rows` rows of the input share each weight.
    """

    filters: ir.IntegerAttr
    rows: ir.IntegerAttr

    @classmethod
    def of(cls, filters: int, rows: int) -> "MatvecAttr":
        return cls.get(int_attr(filters), int_attr(rows))

    @property
    def tile(self) -> tuple[int, int]:
        """filters, rows."""
        return (_int(self.filters), _int(self.rows))

    @property
    def summary(self) -> str:
        """For reports."""
        return "matvec {}x{}".format(*self.tile)


BLOCK_KERNELS = (GatherGemmAttr, SpmmAttr, DepthwiseAttr)  # take weights in blocks of filters
CONV_KERNELS = (*BLOCK_KERNELS, PatternGemmAttr, WinogradAttr)
LINEAR_KERNELS = (MatvecAttr,)


def kernel_problem(attribute: Any, families: tuple[Any, ...]) -> str:
    """What is wrong with a layer's kernel, empty if nothing is."""
    if not isinstance(attribute, families):
        known = " or ".join(family.attr_name for family in families)
        return f"needs a kernel of {known}, got {attribute}"
    if min(attribute.tile) < 1:
        return f"needs a kernel whose numbers are at least 1, got {attribute}"
    return ""


def _int(parameter: ir.Attribute) -> int:
    return int(ir.IntegerAttr(parameter).value)
