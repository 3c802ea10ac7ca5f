"""Block-column-row compact storage: rows that keep the same columns share one list of them.

GRIM's format (https://arxiv.org/abs/2108.11033). Rows (filters) are reordered so that those with
one list form a run, which is a dense matrix product once its columns are gathered. Where no two
rows agree this is CSR. It takes any scheme: the more rows agree, the fewer indices there are.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from .base import Scheme, Shape, Weights, check_shape

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class BCRC:
    """R runs of rows, those of most columns first.

    Attributes:
        shape: filters of the layer, channels of one group, taps.
        groups: groups of the convolution; no run holds filters of two.
        order: ``int32[F]``, the filter in each row.
        run_begin: ``int32[R + 1]``, where each run's rows start.
        column_begin: ``int32[R + 1]``, where its list of columns starts.
        columns: channel of the group * taps + tap, ascending in each list; uint16 where it fits,
            else uint32.
        value_begin: ``int32[R + 1]``, where its row-major ``[rows, columns]`` starts.
        values: weights, in the dtype they came in.
    """

    shape: Shape
    groups: int
    order: Ints
    run_begin: Ints
    column_begin: Ints
    columns: npt.NDArray[Any]
    value_begin: Ints
    values: Weights

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays that get stored, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}

    @property
    def nbytes(self) -> int:
        """Bytes of values and indices."""
        return sum(array.nbytes for array in self.arrays().values())


def pack_bcrc(weights: Weights, scheme: Scheme, groups: int = 1) -> BCRC:
    """Stores what `scheme` keeps of ``weights[F, C, T]``.

    Raises:
        SchemeError: the scheme does not fit the weights.
    """
    filters, channels, taps = shape = check_shape(weights.shape, groups)
    mask = scheme.mask(weights != 0, groups).reshape(filters, channels * taps)
    rows = weights.reshape(filters, channels * taps)
    runs: dict[tuple[int, bytes], list[int]] = {}
    for row, kept in enumerate(np.packbits(mask, axis=1)):
        runs.setdefault((row // (filters // groups), kept.tobytes()), []).append(row)
    found = [np.array(run) for run in runs.values()]
    found.sort(key=lambda run: -int(np.count_nonzero(mask[run[0]])))
    columns = [np.flatnonzero(mask[run[0]]) for run in found]
    values = [rows[run][:, kept].ravel() for run, kept in zip(found, columns, strict=True)]
    narrow = channels * taps <= 2**16
    return BCRC(
        shape=shape,
        groups=groups,
        order=np.concatenate(found).astype(np.int32),
        run_begin=_begins(found),
        column_begin=_begins(columns),
        columns=np.concatenate(columns).astype(np.uint16 if narrow else np.uint32),
        value_begin=_begins(values),
        values=np.concatenate(values),
    )


def unpack_bcrc(packed: BCRC) -> Weights:
    """Inverse of `pack_bcrc`, bit for bit but for a -0.0 that was not stored: it becomes +0.0."""
    filters, channels, taps = packed.shape
    rows = np.zeros((filters, channels * taps), packed.values.dtype)
    for run in range(len(packed.run_begin) - 1):
        members, kept, values = (
            array[begin[run] : begin[run + 1]]
            for array, begin in (
                (packed.order, packed.run_begin),
                (packed.columns, packed.column_begin),
                (packed.values, packed.value_begin),
            )
        )
        rows[np.ix_(members, kept)] = values.reshape(len(members), len(kept))
    return rows.reshape(packed.shape)


def _begins(parts: list[npt.NDArray[Any]]) -> Ints:
    """Where each part starts when they are joined, and where the last one ends."""
    return np.cumsum([0, *map(len, parts)]).astype(np.int32)
