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

Reading checks one thing, and with it every field: names and sizes of the entries say what the
archive must look like, and so it must look.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from niwaki.errors import NiwakiError

from .bundle_file import Part

_HEADER = struct.Struct("<4sHHQQQQ6Q")
_ENTRY = struct.Struct("<QIQ4QQQQ")
_DATA_ENTRY = 2
_ENTRY_ALIGNMENT = 16
_DATA_ALIGNMENT = 64
_TABLE_AT = -(-_HEADER.size // _ENTRY_ALIGNMENT) * _ENTRY_ALIGNMENT  # where entries begin
_STRIDE = -(-_ENTRY.size // _ENTRY_ALIGNMENT) * _ENTRY_ALIGNMENT  # from one to the next


def archive(weights: Mapping[str, np.ndarray]) -> Iterator[bytes | memoryview]:
    """The archive of `weights`, in pieces; values are not copied where they lie contiguously."""
    index = _index([(name.encode(), array.nbytes) for name, array in weights.items()])
    yield index
    written = len(index)
    for array in weights.values():
        begin = _align(written, _DATA_ALIGNMENT)
        yield bytes(begin - written)
        yield np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        written = begin + array.nbytes


def check_archive(part: Part) -> None:
    """Refuse an archive that is not what `archive` writes for the entries it has.

    Raises:
        NiwakiError: a field of its index is wrong, or values are missing or too many.
    """
    if not _is_sound(part):
        raise NiwakiError(
            f"{part.file.path} is damaged: the index of its weights contradicts itself; "
            "compile the model again"
        )


def _is_sound(part: Part) -> bool:
    header = part.file.read(part.begin, min(part.size, _HEADER.size))
    if len(header) < _HEADER.size:
        return False
    *_, count, _, _, names_at, _, data_at, _ = _HEADER.unpack(header)
    contents = part.file.read(part.begin, min(part.size, data_at))
    if count and _TABLE_AT + (count - 1) * _STRIDE + _ENTRY.size > len(contents):
        return False
    entries: list[tuple[bytes, int]] = []
    for number in range(count):
        _, _, _, _, length, *_, size = _ENTRY.unpack_from(contents, _TABLE_AT + number * _STRIDE)
        name = contents[names_at : names_at + length]
        names_at += len(name)
        entries.append((name, size))
    if len(dict(entries)) != count or any(size > part.size for _, size in entries):
        return False
    index = _index(entries)
    end = len(index)
    for _, size in entries:
        end = _align(end, _DATA_ALIGNMENT) + size
    return contents[: len(index)] == index and end == part.size


def _index(entries: Sequence[tuple[bytes, int]]) -> bytes:
    """What comes before the values of parameters with these names and sizes."""
    table, names, data_size = bytearray(), bytearray(), 0
    for name, size in entries:
        begin = _align(data_size, _DATA_ALIGNMENT)
        table += bytes(_align(len(table), _ENTRY_ALIGNMENT) - len(table))
        table += _ENTRY.pack(
            _ENTRY.size, _DATA_ENTRY, 0, len(names), len(name), 0, 0, _DATA_ALIGNMENT, begin, size
        )
        names += name
        data_size = begin + size
    names_at = _TABLE_AT + len(table)
    data_at = _align(names_at + len(names), _DATA_ALIGNMENT)
    segments = (_TABLE_AT, len(table), names_at, len(names), data_at, data_size)
    header = _HEADER.pack(b"IRPA", 0, 0, _HEADER.size, 0, 0, len(entries), *segments)
    return header + bytes(_TABLE_AT - _HEADER.size) + table + names


def _align(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment
