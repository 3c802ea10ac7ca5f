"""Linear layers of many rows as their kernel sees them, and the rows of a workgroup."""

from __future__ import annotations

from dataclasses import dataclass

from niwaki.dialects import Planar, RowGemmTile

from .indices import Index

# Blocks of fewer filters have their sums wait for those of others, see `row_ends`. (Measured on
# Zen 5, 512 inputs and 2048 filters, one weight in eight kept: single filters take 0.47 ms for 128
# rows, where sums are stored at once 1.57; blocks of four 0.23 and 0.45; blocks of eight gain
# nothing.)
FEW = 6


def is_low(filters: int, lanes: int) -> bool:
    """Whether blocks of so many filters have their sums wait."""
    return filters < min(FEW, lanes)


@dataclass(frozen=True, kw_only=True)
class RowGemm:
    """A linear layer as this kernel sees it.

    Attributes:
        rows, inputs, filters: sizes; input is rows x inputs, result rows x filters.
        tile: filters of a full block, vectors of rows; blocks of a workgroup.
        rest: filters of a lower block.
        full_blocks, blocks: how many blocks are full, how many there are.
        lanes: numbers of a vector.
        weight_lanes: weights that are loaded at once.
        runs: whether products are added up in runs, in the type of the input.
        input, result: layouts of those in panels, which are read and written as they are.
    """

    rows: int
    inputs: int
    filters: int
    tile: RowGemmTile
    rest: int
    full_blocks: int
    blocks: int
    lanes: int
    weight_lanes: int
    runs: bool
    input: Planar | None = None
    result: Planar | None = None

    @property
    def rows_together(self) -> int:
        """Rows of a workgroup."""
        return self.tile.vectors * self.lanes

    @property
    def filters_together(self) -> int:
        """Filters of a workgroup; the last one may have fewer."""
        return self.tile.blocks * self.tile.filters

    @property
    def holds_sums(self) -> bool:
        """Whether sums of a workgroup's blocks wait for each other, in scratch memory.

        Sums in runs have another type than that.
        """
        return self.result is None and is_low(self.tile.filters, self.lanes) and not self.runs

    @property
    def panel(self) -> int:
        """Elements of a workgroup's panel: in scratch memory, or of an input in panels."""
        return self.inputs * self.rows_together

    @property
    def scratch(self) -> int:
        """Elements of a workgroup's scratch memory: its panel, and sums that wait."""
        held = self.filters_together * self.rows_together if self.holds_sums else 0
        return held + (0 if self.input else self.panel)

    @property
    def last_rows(self) -> int:
        """Rows of a last, smaller group; 0 where all are full."""
        return self.rows % self.rows_together


@dataclass(frozen=True)
class RowTile:
    """The rows of a workgroup.

    Attributes:
        first: of them.
        rows: how many there are; lanes beyond them hold the last one again.
        widths: of the vectors that cover them.
        panel: where they begin in scratch memory, or in an input in panels.
        pitch: from an input to the next one there.
        held: where sums that wait begin in scratch memory.
    """

    first: Index
    rows: int
    widths: list[int]
    panel: Index
    pitch: int
    held: Index

    @property
    def starts(self) -> list[int]:
        """The row that each vector begins with."""
        return [sum(self.widths[:i]) for i in range(len(self.widths))]
