"""Where the weights of a running network lie.

Copied, as a rule: then nothing that happens to the file later matters. Small ones because copying
costs nothing, large ones because copies can be in huge pages. Where a system has none, large
weights stay in the file, mapped, and processes share them; so do those that a user wants shared. A
network then looks at the file before and after each call, for a microsecond, and gives no result if
it has changed. One thing it cannot
survive: a file that is cut off *during* a call.
"""

from __future__ import annotations

import numpy as np

from .arrays import aligned_empty
from .bundle_file import Part
from .huge_pages import LEAST_BYTES, huge_pages


class Weights:
    """The weights of `part`, in memory.

    Attributes:
        contents: the bytes, aligned as IREE needs them.
    """

    def __init__(self, part: Part, shared: bool = False) -> None:
        """Copy or map the weights.

        Args:
            shared: map them in any case, so that processes have them once.

        Raises:
            NiwakiError: the file was written into since it was opened.
        """
        self._part = part
        area = None if shared else _area(part.size)
        self._is_mapped = area is None
        if area is None:
            self.contents = part.map()
            self._state = part.file.opened
            self.check()
        else:
            part.read_into(area)
            self.contents = area.toreadonly()

    def check(self) -> None:
        """Refuse weights that somebody has written into.

        Raises:
            NiwakiError: they are mapped from a file that has changed.
        """
        if not self._is_mapped:
            return
        state = self._part.file.state()
        if state == self._state:
            return
        # A file that was only renamed has another state, too. Read, not through the mapping, since
        # the file may have become shorter.
        if not self._part.is_intact():
            raise self._part.file.changed()
        self._state = state


def _area(size: int) -> memoryview | None:
    """Memory for so many bytes; None where they should rather stay in their file."""
    if size < LEAST_BYTES:
        return aligned_empty((size,), np.uint8).data
    return huge_pages(size)
