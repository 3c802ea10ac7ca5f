"""Which kernel of a bundle a basic block belongs to.

IREE loads a library of kernels to an address that nobody tells. Its code does not depend on where
it lies, so blocks are found in it by their bytes, and tell the address.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable

from .counts import Block
from .kernel_library import KernelLibrary


def kernels_of(blocks: Collection[Block], libraries: Iterable[KernelLibrary]) -> dict[Block, str]:
    """The kernel of each block; those of other code are left out."""
    found = {}
    for library in libraries:
        base = _base(library, blocks)
        if base is None:
            continue
        for block in blocks:
            if kernel := _kernel_at(library, block.address - base):
                found[block] = kernel
    return found


def _base(library: KernelLibrary, blocks: Iterable[Block]) -> int | None:
    """The address at which the code lay: that on which most blocks agree.

    One block says little: the same loop may be in several kernels.
    """
    places = ((block.address, library.code.find(block.code)) for block in blocks)
    votes = Counter(address - place for address, place in places if place >= 0)
    return votes.most_common(1)[0][0] if votes else None


def _kernel_at(library: KernelLibrary, place: int) -> str:
    """The name of the kernel with the instruction at `place`; empty for none."""
    number = bisect_right(library.starts, place) - 1
    return library.names[number] if number >= 0 and place < len(library.code) else ""
