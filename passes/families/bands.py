"""Weights in blocks of filters, where rows that blocks of columns remove are not stored.

    values     block after block, band after band, each columns x kept filters
    offsets    of each band: how many columns, the kept filters as bits, and where each is read
    blocks     filter, `offsets` from and to, first value

With one band a block's filters all keep the same columns, and `offsets` are these alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from niwaki.dialects import BAND_HEAD, LOOKAHEAD, Blocks
from niwaki.schemes import BlockColumnRow, Scheme
from niwaki.targets import Target, Vector

from ..cost import INDEX_LOADS, WORKGROUP_START, mean, overlapped
from ..kernels.band_sums import band_lanes
from .blocks import not_empty

# Of a band and row, besides its columns: what moves its sums to their lanes.
BAND_CYCLES = 6
# Bands whose columns are summed at the same time, as far as instructions wait for each other.
BANDS_AT_ONCE = 2


class Stored(NamedTuple):
    """What a layer's blocks store: numbers of columns of all bands, and of weights."""

    blocks: int
    columns: int
    weights: int


def filter_spans(filters: int, height: int) -> list[slice]:
    """Blocks of `height` filters, the last one may be lower."""
    return [slice(first, min(first + height, filters)) for first in range(0, filters, height)]


def bands_of(scheme: Scheme, height: int, columns: int, vector: Vector) -> int:
    """Bands in which blocks of `height` filters keep filters of their own; 1 if there are none.

    Where rows are removed from the whole matrix, it has two bands that are alike.
    """
    fits = vector.expands and band_lanes(height) <= vector.lanes
    if not fits or not isinstance(scheme, BlockColumnRow):
        return 1
    return len(_bands(columns, scheme))


def bands_seconds(
    target: Target, vector: Vector, stored: Stored, bands: int, rows: int, together: int
) -> float:
    """A layer of `rows` rows, of which `together` share each weight.

    Vectors begin anywhere, so that it takes more time than with zeros as long as weights stay in
    the second-level cache, and less where fewer bytes come from beyond it. (Measured on AVX-512: a
    fifth more, as much as with zeros from the third level, two thirds of it from memory.)
    """
    core = target.cpu_core
    multiply_adds = max(together / core.multiply_adds, core.latency / BANDS_AT_ONCE)
    loads = core.straddling / core.loads + (together + INDEX_LOADS) / core.scalar_loads
    cycles = stored.columns * mean(multiply_adds, loads)
    cycles += stored.blocks * (bands * together * BAND_CYCLES + WORKGROUP_START)
    values = vector.stored.bytes * stored.weights
    moved = values / core.bandwidth[values > core.cache[1]]
    return -(-rows // together) * overlapped(cycles, moved) / core.clock


def stored_in_bands(mask: npt.NDArray[np.bool_], scheme: Scheme, spans: Sequence[slice]) -> Stored:
    """What of ``mask[F, C]`` is stored in bands, of which blocks have the filters of `spans`."""
    columns = weights = 0
    for span in spans:
        for band in _bands(mask.shape[1], scheme):
            part = mask[span, band]
            kept = int(np.count_nonzero(part.any(axis=0)))
            columns += kept
            weights += kept * int(np.count_nonzero(part.any(axis=1)))
    return Stored(len(spans), columns, weights)


def _bands(columns: int, scheme: Scheme) -> list[slice]:
    """The columns of each band."""
    assert isinstance(scheme, BlockColumnRow)
    width = min(scheme.columns, -(-columns // 2))
    return [slice(at, min(at + width, columns)) for at in range(0, columns, width)]


def pack_bands(
    matrix: npt.NDArray[Any],
    mask: npt.NDArray[np.bool_],
    scheme: Scheme,
    spans: Sequence[slice],
    first: Sequence[int],
    *,
    bands: int,
    narrow: bool,
) -> Blocks[npt.NDArray[Any]]:
    """Blocks of ``weights[F, C]``, of which `mask` is kept: the filters of `spans`.

    `first` is what `blocks` begins with for each.
    """
    values: list[npt.NDArray[Any]] = []
    offsets: list[npt.NDArray[np.intp]] = []
    table: list[tuple[int, int, int, int]] = []
    entry = value = 0
    for span, number in zip(spans, first, strict=True):
        begin, at = entry, value
        for band in _bands(mask.shape[1], scheme) if bands > 1 else [slice(0, mask.shape[1])]:
            part = mask[span, band]
            columns = np.flatnonzero(part.any(axis=0)) + band.start
            filters = np.flatnonzero(part.any(axis=1) | (bands == 1))
            if bands > 1:
                offsets.append(np.array([columns.size, (1 << filters).sum()]))
            offsets.append(columns)
            values.append(matrix[span][np.ix_(filters, columns)].T.ravel())
            entry += columns.size + (BAND_HEAD if bands > 1 else 0)
            value += values[-1].size
        table.append((number, begin, entry, at))
    height = max(span.stop - span.start for span in spans)
    # Vectors that hold a band's last weights reach beyond them.
    beyond = np.zeros(band_lanes(height) if bands > 1 else 0, matrix.dtype)
    kind = np.uint16 if narrow and matrix.shape[1] <= 2**16 else np.uint32
    ahead = np.zeros(LOOKAHEAD, kind)
    stored_offsets = np.concatenate([*offsets, ahead]).astype(kind)
    # Constants have no unsigned types; kernels read them so.
    signed = stored_offsets.view(np.dtype(f"i{stored_offsets.itemsize}"))
    weights = not_empty(np.concatenate([*values, beyond]))
    return Blocks(weights, signed, np.array(table, np.int32))
