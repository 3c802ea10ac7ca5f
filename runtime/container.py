"""The zip file a bundle is: members stored as they are, each beginning at a multiple of 64 bytes.

So members can be used where they lie, should the file be mapped into memory. `zipfile` writes and
indexes it; this module adds the alignment (an extra field, as Android's `zipalign` does) and the
checks that make a foreign file harmless.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from niwaki.errors import NiwakiError

from .bundle_file import BundleFile

ALIGNMENT = 64
_PADDING_FIELD = 0xD935  # the id that Android's zipalign uses
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ZIP64_FIELD_SIZE = 20
_END_SIZE = 22  # of the record that ends the file
_BAD_ZIP = (
    zipfile.BadZipFile,
    ValueError,
    NotImplementedError,
    struct.error,
    OverflowError,
    EOFError,
)


@dataclass(frozen=True)
class Member:
    """Where a member's bytes lie in the file, and the CRC-32 that the zip file gives for them."""

    begin: int
    size: int
    crc: int


def write_member(
    archive: zipfile.ZipFile, name: str, size: int, pieces: Iterable[bytes | memoryview]
) -> None:
    """Append the member `name`: `pieces`, `size` bytes in all; same input, same bytes."""
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.create_system = 3  # Unix, wherever this runs
    info.external_attr = 0o644 << 16
    info.file_size = size
    zip64 = size * 1.05 > zipfile.ZIP64_LIMIT
    header = _LOCAL_HEADER.size + len(name.encode()) + (_ZIP64_FIELD_SIZE if zip64 else 0)
    assert archive.fp is not None
    # The field holds at least its own head (id, size, alignment): 6 bytes.
    padding = -(archive.fp.tell() + header + 6) % ALIGNMENT
    info.extra = struct.pack("<HHH", _PADDING_FIELD, 2 + padding, ALIGNMENT) + bytes(padding)
    with archive.open(info, "w", force_zip64=zip64) as member:
        for piece in pieces:
            member.write(piece)


def read_members(
    file: BundleFile, names: Sequence[str], others: Sequence[str] = ()
) -> dict[str, Member]:
    """The members of the zip `file`; their CRCs are not checked.

    Raises:
        NiwakiError: it is no intact zip, its members are not exactly `names` and some of `others`,
        or one is not stored plainly and aligned.
    """
    path = file.path
    try:
        # IREE's module is a zip file too: of a truncated bundle, `zipfile` would find that one.
        if file.read(max(file.size - _END_SIZE, 0), 4) != b"PK\x05\x06":
            raise zipfile.BadZipFile
        with file.stream() as stream, zipfile.ZipFile(stream) as archive:
            infos = archive.infolist()
    except _BAD_ZIP:
        raise NiwakiError(
            f"{path} is not a Niwaki bundle, or it is truncated; compile the model again"
        ) from None
    # The name as it stands in the file: `filename` may have lost a part of it.
    found = [info.orig_filename for info in infos]
    for name in found:
        if name not in (*names, *others):
            raise NiwakiError(
                f"{path} is not a Niwaki bundle: it has an entry {name!r}, which no bundle has"
            )
    for name in (*names, *found):
        if found.count(name) != 1:
            raise NiwakiError(
                f"{path} is damaged: it must have {name} once, not {found.count(name)} times"
            )
    return {info.orig_filename: _locate(info, file) for info in infos}


def _locate(info: zipfile.ZipInfo, file: BundleFile) -> Member:
    """Where a member's bytes lie."""
    path, name = file.path, info.orig_filename
    repacked = f"{path} was packed anew by another tool: {name}"
    damaged = NiwakiError(f"{path} is damaged at {name}; compile the model again")
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        raise NiwakiError(f"{repacked} is compressed; compile the model again")
    at = info.header_offset
    head = file.read(at, _LOCAL_HEADER.size) if 0 <= at < file.size else b""
    if len(head) != _LOCAL_HEADER.size:
        raise damaged
    signature, name_size, extra_size = _LOCAL_HEADER.unpack(head)
    begin = at + _LOCAL_HEADER.size + name_size + extra_size
    if signature != b"PK\x03\x04" or begin + info.file_size > file.size:
        raise damaged
    if begin % ALIGNMENT:
        raise NiwakiError(
            f"{repacked} does not begin at a multiple of {ALIGNMENT} bytes; compile the model again"
        )
    return Member(begin, info.file_size, info.CRC)
