"""Memory in huge pages, where the system has them.

A call reads a network's weights once, in order, and prefetchers stop at the end of each page of
4 KB, whose address must then be looked up. In pages of 2 MB that hardly happens. (Measured with a
pruned ResNet-50 of 21 MB of weights in a virtual machine: 12.1 ms instead of 12.7.) Linux gives
such pages to memory that asks for them, but not to mapped files.
"""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np

_SETTINGS = Path("/sys/kernel/mm/transparent_hugepage")

# Of weights that fit the second-level cache the addresses are known, too.
LEAST_BYTES = 4 * 2**20


def huge_pages(count: int) -> memoryview | None:
    """So many bytes in huge pages; None where a process gets none."""
    size = page_size()
    if not size:
        return None
    try:
        area = mmap.mmap(-1, count + size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError:  # there is no memory for so many
        return None
    area.madvise(mmap.MADV_HUGEPAGE)
    begin = -np.frombuffer(area, np.uint8).ctypes.data % size
    return memoryview(area)[begin : begin + count]


def page_size() -> int:
    """Bytes of a huge page; 0 where a process gets none."""
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return 0
    try:
        if "[never]" in (_SETTINGS / "enabled").read_text():
            return 0
        return int((_SETTINGS / "hpage_pmd_size").read_text())
    except (OSError, ValueError):
        return 0
