"""The code of a bundle's kernels, as it stands in IREE's module.

It is an ELF library without symbols, but with a table for IREE: pointers to its kernels' code, then
as many to their names.

    .data.rel.ro:  &code of gather_gemm_3, &code of pool_max_2, "gather_gemm_3", "pool_max_2"
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

_MAGIC = b"\x7fELF\x02\x01"
_RELATIVE = 1027  # the relocation R_AARCH64_RELATIVE: a pointer to its addend
_RELA, _PROGBITS = 4, 1
_EXECUTABLE = 4  # flag of sections


@dataclass(frozen=True)
class KernelLibrary:
    """The code of kernels that were linked together.

    Attributes:
        code: that of all.
        starts: where each begins in `code`, in order.
        names: of each.
    """

    code: bytes
    starts: tuple[int, ...]
    names: tuple[str, ...]


def kernel_libraries(module: bytes) -> list[KernelLibrary]:
    """The libraries inside IREE's module."""
    return [library for elf in _libraries(module) if (library := _read(elf))]


def _libraries(module: bytes) -> Iterator[bytes]:
    at = module.find(_MAGIC)
    while at >= 0:
        yield module[at:]
        at = module.find(_MAGIC, at + 1)


def _read(elf: bytes) -> KernelLibrary | None:
    sections = list(_sections(elf))
    text = next((section for section in sections if section.is_code), None)
    if text is None:
        return None
    pointers = sorted(
        (place, addend)
        for section in sections
        if section.kind == _RELA
        for place, kind, addend in struct.iter_unpack("<QQq", section.contents(elf))
        if kind == _RELATIVE
    )
    targets = [addend for _, addend in pointers]
    first = next((at for at, target in enumerate(targets) if text.holds(target)), len(targets))
    code = list(takewhile(text.holds, targets[first:]))
    names = [_text(elf, sections, to) for to in targets[first + len(code) :][: len(code)]]
    kernels = sorted((place - text.address, name) for place, name in zip(code, names, strict=False))
    return KernelLibrary(
        text.contents(elf),
        tuple(start for start, _ in kernels),
        tuple(name for _, name in kernels),
    )


@dataclass(frozen=True)
class _Section:
    kind: int
    flags: int
    address: int
    offset: int
    size: int

    @property
    def is_code(self) -> bool:
        return self.kind == _PROGBITS and bool(self.flags & _EXECUTABLE)

    def holds(self, address: int) -> bool:
        return self.address <= address < self.address + self.size

    def contents(self, elf: bytes) -> bytes:
        return elf[self.offset : self.offset + self.size]


def _sections(elf: bytes) -> Iterator[_Section]:
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    size, count = struct.unpack_from("<HH", elf, 0x3A)
    for number in range(count):
        fields = struct.unpack_from("<IIQQQQ", elf, table + number * size)
        yield _Section(*fields[1:])


def _text(elf: bytes, sections: list[_Section], address: int) -> str:
    """The C string at `address`."""
    for section in sections:
        if section.kind == _PROGBITS and section.holds(address):
            begin = address - section.address
            return section.contents(elf)[begin:].split(b"\0", 1)[0].decode("ascii", "replace")
    return ""
