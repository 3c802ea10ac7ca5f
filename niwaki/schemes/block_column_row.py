"""Blocks of the weight matrix that keep a set of rows and a set of columns.

GRIM's block-based column-row pruning (https://arxiv.org/abs/2108.11033), with BLK-REW's blocks of
columns or of rows (https://arxiv.org/abs/2001.08357) as cases of it. The matrix has a row for each
filter and a column for each channel and tap. RTMobile's BSP (https://arxiv.org/abs/2002.11474)
removes rows of the whole matrix instead, which are filters; the rest of it is block-punched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Bools, Scheme, SchemeError, Shape, Weights, check_rate, check_shape, register
from .block_punched import FILTERS, BlockPunched
from .folding import Floats, energies, fold, fold_sum, pad, strongest, unfold

# Narrower blocks explain anything: with one column, kept rows are scattered weights.
LEAST_COLUMNS = 8

# Of the weights that columns alone would store, so many at least must go with rows.
LEAST_SAVED = 1 / 16


@register
@dataclass(frozen=True)
class BlockColumnRow(Scheme):
    """Stores, of each block of filters x columns, what lies in rows and columns with a nonzero.

    Both count from a group's first; what is left at its end is a smaller block. Rows of a block
    keep different columns where another block removes some of them, so that register blocks of
    several filters, which share a list of columns, hold zeros for removed rows; kernels that take
    the columns in bands hold none.
    """

    filters: int
    columns: int

    name: ClassVar[str] = "block_column_row"
    rank: ClassVar[int] = 18

    @classmethod
    def propose(cls, nonzero: Bools, groups: int, slack: float) -> Iterator[Scheme]:
        filters = nonzero.shape[0] // groups
        rows = nonzero.reshape(groups, filters, -1)
        most = (1 + slack) * np.count_nonzero(rows)
        found = []
        for size in sorted({min(size, filters) for size in FILTERS} - {1}):
            # Blocks that are exact are so in each part: taller ones fail where these do.
            widest = _widest(rows, size, nonzero.shape[2], most)
            if widest is None:
                break
            # Columns alone, and filters that keep nothing, are `BlockPunched`.
            if most < (1 - LEAST_SAVED) * _without_rows(rows, size):
                found.append(cls(size, widest))
        yield from reversed(found)

    def check_parameters(self) -> None:
        if self.filters < 1 or self.columns < 1:
            raise SchemeError(f"{self} needs blocks of at least 1 filter and 1 column")

    def filters_per_block(self, shape: Shape, groups: int = 1) -> int:
        return min(self.filters, check_shape(shape, groups)[0] // groups)

    def computed(self, nonzero: Bools, groups: int = 1) -> int:
        return BlockPunched(self.filters, 1).stored(nonzero, groups)

    def describe(self) -> str:
        return f"as rows and columns of blocks of {self.filters} filters x {self.columns} columns"

    def _mask(self, nonzero: Bools) -> Bools:
        groups, filters, channels, taps = nonzero.shape
        matrix = nonzero.reshape(groups, filters, channels * taps)
        rows = unfold(fold(matrix, self.columns, axis=2), self.columns, channels * taps, axis=2)
        columns = unfold(fold(matrix, self.filters, axis=1), self.filters, filters, axis=1)
        return (rows & columns).reshape(nonzero.shape)


def block_column_row_mask(
    weights: Weights,
    column_rate: float,
    row_rate: float,
    filters: int,
    columns: int,
    groups: int = 1,
) -> Bools:
    """What stays when each block of filters x columns keeps its strongest columns, then rows.

    Each of the two steps is a projection of ``weights[F, C, T]``: a block keeps one in
    `column_rate` of its columns, those of largest L2 norm, then one in `row_rate` of its rows, by
    the norm of what the columns left (of equals the first; NaN counts as infinite). Smaller blocks
    at the end of filters or columns keep as large a share, at least one if whole blocks keep any.

    Raises:
        SchemeError: a rate, `filters` or `columns` is below 1, or the weights have no shape of a
            layer.
    """
    check_rate(column_rate)
    check_rate(row_rate)
    BlockColumnRow(filters, columns).check_parameters()
    total, channels, taps = check_shape(weights.shape, groups)
    matrix = energies(weights).reshape(groups, total // groups, channels * taps)
    filters, columns = min(filters, matrix.shape[1]), min(columns, matrix.shape[2])
    # What fills blocks up is weaker than any weight.
    padded = pad(pad(matrix, filters, axis=1, value=-1.0), columns, axis=2, value=-1.0)
    height, width = padded.shape[1] // filters, padded.shape[2] // columns
    blocks = padded.reshape(groups, height, filters, width, columns)
    last = matrix.shape[2] - (width - 1) * columns
    # groups x blocks of filters x columns x blocks of columns
    sums = blocks.sum(axis=2).swapaxes(2, 3)
    kept_columns = _strongest_of_blocks(sums, last, column_rate).swapaxes(2, 3)[:, :, None]
    last = matrix.shape[1] - (height - 1) * filters
    # groups x blocks of columns x filters x blocks of filters
    left = np.where(kept_columns, blocks, 0).sum(axis=4).transpose(0, 3, 2, 1)
    kept_rows = _strongest_of_blocks(left, last, row_rate).transpose(0, 3, 2, 1)[..., None]
    mask = (kept_rows & kept_columns).reshape(padded.shape)
    return np.ascontiguousarray(mask[:, : matrix.shape[1], : matrix.shape[2]]).reshape(
        weights.shape
    )


def _strongest_of_blocks(energy: Floats, last: int, rate: float) -> Bools:
    """One in `rate` of ``energy[..., size, blocks]`` along each block, the last one `last` long."""
    size = energy.shape[2]
    whole = round(size / rate)
    kept = strongest(energy.swapaxes(2, 3), whole).swapaxes(2, 3)
    if whole and last < size:
        kept[..., -1] = strongest(energy[..., -1], max(1, round(last / rate)))
    return kept


def _widest(rows: Bools, filters: int, taps: int, most: float) -> int | None:
    """The most columns of a block with which ``bool[groups, F, C * T]`` stores at most `most`."""
    columns = rows.shape[2]
    kept_columns = fold(rows, filters, axis=1).astype(np.int32)
    widest = None
    # Twice the columns each time, from a few on or from whole kernels.
    for first in {LEAST_COLUMNS, taps * -(-LEAST_COLUMNS // taps)}:
        live_rows, sums = fold(rows, first, axis=2), fold_sum(kept_columns, first, axis=2)
        width = first
        while True:
            live = fold_sum(live_rows.astype(np.int32), filters, axis=1)
            if int((live.astype(np.int64) * sums).sum()) > most:
                break
            widest = max(widest or 0, min(width, columns))
            if width >= columns:
                break
            live_rows, sums = fold(live_rows, 2, axis=2), fold_sum(sums, 2, axis=2)
            width *= 2
    return widest


def _without_rows(rows: Bools, filters: int) -> int:
    """What ``bool[groups, F, C * T]`` stores when only columns of blocks and filters go."""
    live = fold_sum(np.asarray(rows.any(axis=2), np.int64), filters, axis=1)
    return int((live * fold(rows, filters, axis=1).sum(axis=2)).sum())
