"""Filter-kernel-weight storage of pattern-pruned layers: no index for a weight, one for a kernel.

PatDNN's format (https://arxiv.org/abs/2001.00138). Filters are reordered (filter kernel reorder):
those that keep most kernels first, and among equals each beside one that keeps the same patterns
in the same channels. Kernels of a filter are sorted by pattern, so that a loop over one pattern's
kernels has no branch, and then by channel.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from .base import Shape, Weights, check_shape
from .folding import pad
from .pattern import Pattern
from .pattern_library import Census, Codes, holds, merge, taps_of

Ints = npt.NDArray[np.int32]
Unsigned = npt.NDArray[Any]
Entry = tuple[int, int]  # a pattern, and which of its taps hold weights, as a code


@dataclass(frozen=True, eq=False)
class FKW:
    """A layer's kept kernels: B blocks of S filters that share them (S is 1 as a rule), K kernels
    of blocks in all, P patterns of N taps.

    Attributes:
        shape: filters of the layer, channels of one group, taps.
        groups: groups of the convolution; no block holds filters of two.
        share: S; a block at the end of a group may have fewer filters.
        patterns: ``uint8[P, N]``, the taps of each pattern, ascending.
        first_filter: ``int32[B]``, the first of each block's consecutive filters; blocks in their
            new order, a permutation that outputs need not follow.
        kernel_begin: ``int32[B + 1]``, where each block's kernels start.
        pattern_count: ``[B, P]``, how many of them have each pattern: so many of the first, then
            so many of the second. uint16, or uint32 with more than 65535 channels.
        channel_delta: ``[K]``, channel in the group; from the second kernel of a block and pattern
            on its distance to the one before. uint8, uint16 or uint32, whichever holds all.
        values: ``[K, N, S]``, weights in the dtype they came in; 0 for filters that a last block
            has not.
    """

    shape: Shape
    groups: int
    share: int
    patterns: npt.NDArray[np.uint8]
    first_filter: Ints
    kernel_begin: Ints
    pattern_count: Unsigned
    channel_delta: Unsigned
    values: Weights

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays that get stored, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}

    @property
    def nbytes(self) -> int:
        """Bytes of values and indices."""
        return sum(array.nbytes for array in self.arrays().values())

    def kernels(self) -> tuple[Ints, Ints, Ints]:
        """Block (in the new order), pattern and channel of each kernel, ``int32[K]`` each."""
        counts = self.pattern_count.astype(np.int64)
        block, pattern = np.divmod(
            np.repeat(np.arange(counts.size), counts.ravel()), counts.shape[1]
        )
        # Sums start again with each block and pattern.
        sums = np.append(0, np.cumsum(self.channel_delta, dtype=np.int64))
        starts = np.cumsum(counts.ravel()) - counts.ravel()
        channel = sums[1:] - np.repeat(sums[starts], counts.ravel())
        return block.astype(np.int32), pattern.astype(np.int32), channel.astype(np.int32)


def pack_fkw(weights: Weights, scheme: Pattern, groups: int = 1) -> FKW:
    """Stores ``weights[F, C, T]`` kernel by kernel.

    A kernel that fits no pattern is stored as several that together do, with zeros where one
    repeats another's tap.

    Raises:
        SchemeError: the scheme does not fit the weights.
    """
    filters, channels, taps = shape = check_shape(weights.shape, groups)
    scheme.verify(weights != 0, groups)
    share = min(scheme.filters, filters // groups)
    padded = pad(weights.reshape(groups, filters // groups, channels, taps), share, 1, 0)
    height = padded.shape[1] // share
    blocks = padded.reshape(groups * height, share, channels, taps)
    census = Census.of((blocks != 0).any(axis=1))
    library, entries = _cover(census, scheme.library(census), scheme.taps)

    # One row for each entry of a kernel, in the order of storage.
    code = census.where.ravel()
    kept = np.flatnonzero(code < len(census.codes))
    chosen = [(kernel, *entry) for kernel in kept.tolist() for entry in entries[code[kernel]]]
    kernel, pattern, own = np.array(chosen, np.int64).reshape(-1, 3).T
    block, channel = np.divmod(kernel, channels)

    patterns = np.zeros((groups * height, channels), np.int32)
    patterns[block, channel] = pattern + 1
    order = _reorder_filters(patterns, np.bincount(block, minlength=len(patterns)))
    place = np.argsort(order)
    sorting = np.lexsort((channel, pattern, place[block]))
    block, channel, pattern, own = (a[sorting] for a in (block, channel, pattern, own))
    place = place[block]

    tap_numbers = np.nonzero(taps_of(library, taps))[1].reshape(-1, scheme.taps)
    mine = np.take_along_axis(taps_of(own, taps), tap_numbers[pattern], axis=1)
    values = blocks[block[:, None], :, channel[:, None], tap_numbers[pattern]]
    counts = np.zeros((groups * height, len(library)), dtype=np.int64)
    np.add.at(counts, (place, pattern), 1)
    runs = place * len(library) + pattern
    follows = np.diff(runs, prepend=-1) == 0
    delta = np.where(follows, np.diff(channel, prepend=0), channel)
    group, index = np.divmod(order, height)
    return FKW(
        shape=shape,
        groups=groups,
        share=share,
        patterns=tap_numbers.astype(np.uint8),
        first_filter=(group * (filters // groups) + index * share).astype(np.int32),
        kernel_begin=np.append(0, counts.sum(axis=1).cumsum()).astype(np.int32),
        pattern_count=counts.astype(np.uint16 if channels < 2**16 else np.uint32),
        channel_delta=delta.astype(np.min_scalar_type(int(delta.max(initial=0)))),
        values=np.where(mine[:, :, None], values, np.zeros((), weights.dtype)),
    )


def unpack_fkw(packed: FKW) -> Weights:
    """Inverse of `pack_fkw`, bit for bit but for a -0.0, which comes back as +0.0."""
    filters, channels, taps = packed.shape
    group_filters, share = filters // packed.groups, packed.share
    group, first = np.divmod(packed.first_filter, group_filters)
    height = -(-group_filters // share)
    blocks = np.zeros((packed.groups * height, share, channels, taps), packed.values.dtype)
    block, pattern, channel = packed.kernels()
    # Where kernels of several patterns overlap, all but one are zero.
    kernel, tap, member = np.nonzero(packed.values)
    place = (group * height + first // share)[block[kernel]]
    into = place, member, channel[kernel], packed.patterns[pattern[kernel], tap]
    blocks[into] = packed.values[kernel, tap, member]
    grouped = blocks.reshape(packed.groups, height * share, channels, taps)
    return grouped[:, :group_filters].reshape(packed.shape)


def _reorder_filters(patterns: Ints, lengths: Codes) -> Codes:
    """Filters in their new order: longest first; of as long ones, each time the one that agrees in
    most kernels with the one before.

    ``patterns[F, C]`` says which pattern each kernel has, 0 for removed ones.
    """
    order: list[int] = []
    for length in np.unique(lengths)[::-1]:
        waiting = np.flatnonzero(lengths == length)
        following = 0
        while len(waiting):
            order.append(current := int(waiting[following]))
            waiting = np.delete(waiting, following)
            kept = np.flatnonzero(patterns[current])
            agreeing = patterns[waiting][:, kept] == patterns[current, kept]
            following = int(agreeing.sum(axis=1).argmax()) if len(waiting) else 0
    return np.array(order, np.int64)


def _cover(census: Census, library: Codes, taps: int) -> tuple[Codes, list[list[Entry]]]:
    """Patterns that together hold each code, from a library that grows where it has to."""
    entries: list[list[Entry]] = []
    for code, held in zip(census.codes.tolist(), holds(library, census.codes), strict=True):
        if held.any():
            pattern = int(held.argmax())
            entries.append([(pattern, int(library[pattern]))])
            continue
        entries.append([])
        while code:
            covered = np.bitwise_count(library & code)
            if not covered.any():
                library = np.append(library, merge(_bits(code), taps, census.taps))
                continue
            pattern = int(covered.argmax())
            entries[-1].append((pattern, code & int(library[pattern])))
            code &= ~int(library[pattern])
    return library, entries


def _bits(code: int) -> Codes:
    """The taps of a code, one code each."""
    return np.array([1 << tap for tap in range(code.bit_length()) if code >> tap & 1])
