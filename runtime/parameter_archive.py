"""IREE's parameter archive (``.irpa``), written straight into a stream.

`iree.runtime` can write one too, but only as a file of its own, which would have to be copied into
the bundle, and through a memory mapping, where a full disk kills the process (SIGBUS) instead of
raising an error.

Layout (version 0; little-endian, packed; every range is offset and length, 64 bits each), from
`runtime/src/iree/schemas/parameter_archive.h` of IREE:

    header    magic "IRPA", version u16 u16, header size u64, next header u64, flags u64,
              number of entries u64, ranges of the three segments below, relative to the header
    entries   each aligned to 16: entry size u64, type u32 (2: data), flags u64, ranges of its name
              and its metadata (in the name segment), alignment u64, range of its data
    names     one after another
    data      each aligned to 64
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

import numpy as np

_HEADER = struct.Struct("<4sHHQQQQ6Q")
_ENTRY = struct.Struct("<QIQ4QQQQ")
_DATA_ENTRY = 2
_ENTRY_ALIGNMENT = 16
_DATA_ALIGNMENT = 64


def archive(weights: Mapping[str, np.ndarray]) -> Iterator[bytes | memoryview]:
    """The archive of `weights`, in pieces; values are not copied where they lie contiguously."""
    data_ranges: list[tuple[int, int]] = []
    data_size = 0
    for array in weights.values():
        begin = _align(data_size, _DATA_ALIGNMENT)
        data_ranges.append((begin, array.nbytes))
        data_size = begin + array.nbytes

    entries = bytearray()
    names = bytearray()
    for name, data_range in zip(weights, data_ranges, strict=True):
        key = name.encode()
        entries.extend(bytes(_align(len(entries), _ENTRY_ALIGNMENT) - len(entries)))
        entries += _ENTRY.pack(
            _ENTRY.size, _DATA_ENTRY, 0, len(names), len(key), 0, 0, _DATA_ALIGNMENT, *data_range
        )
        names += key

    entries_at = _align(_HEADER.size, _ENTRY_ALIGNMENT)
    names_at = entries_at + len(entries)
    data_at = _align(names_at + len(names), _DATA_ALIGNMENT)
    segments = (entries_at, len(entries), names_at, len(names), data_at, data_size)
    header = _HEADER.pack(b"IRPA", 0, 0, _HEADER.size, 0, 0, len(weights), *segments)

    yield header + bytes(entries_at - _HEADER.size) + entries + names
    written = names_at + len(names)
    for array, (begin, length) in zip(weights.values(), data_ranges, strict=True):
        yield bytes(data_at + begin - written)
        yield np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        written = data_at + begin + length


def _align(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment
