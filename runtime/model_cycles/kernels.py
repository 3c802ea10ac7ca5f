"""Which kernel of a bundle a basic block belongs to.

IREE loads its kernels from an ELF library inside the module, at an address that nobody tells. Code
there does not depend on where it lies, so blocks are found by their bytes, and tell the address.
The library has no symbols but a table for IREE: pointers to its kernels' code, then as many to
their names.

    .data.rel.ro:  &code of gather_gemm_3, &code of pool_max_2, "gather_gemm_3", "pool_max_2"
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from .counts import Block

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

    def base(self, blocks: Iterable[Block]) -> int | None:
        """The address at which the code lay: that on which most blocks agree.

        One block says little: the same loop may be in several kernels.
        """
        places = ((block.address, self.code.find(block.code)) for block in blocks)
        votes = Counter(address - place for address, place in places if place >= 0)
        return votes.most_common(1)[0][0] if votes else None

    def kernel_at(self, place: int) -> str:
        """The name of the kernel with the instruction at `place` in `code`; empty for none."""
        number = bisect_right(self.starts, place) - 1
        return self.names[number] if number >= 0 and place < len(self.code) else ""


def kernels_of(blocks: Collection[Block], libraries: Iterable[KernelLibrary]) -> dict[Block, str]:
    """The kernel of each block; those of other code are left out."""
    found = {}
    for library in libraries:
        base = library.base(blocks)
        if base is None:
            continue
        for block in blocks:
            if kernel := library.kernel_at(block.address - base):
                found[block] = kernel
    return found


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
