"""What a file of weights held."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki.records import Remark

Array = npt.NDArray[Any]

PASS = "load-weights"  # what remarks are by


class Weights(dict[str, Array]):
    """Arrays by the names of a network's parameters.

    Attributes:
        remarks: what a user should know of some of them.
    """

    def __init__(self, arrays: dict[str, Array] | None = None) -> None:
        super().__init__(arrays or {})
        self.remarks: list[Remark] = []

    def remark(self, what: str, reason: str) -> None:
        """Note something about a layer, or a file."""
        self.remarks.append(Remark(what, PASS, reason))


def widen_bfloat16(bits: npt.NDArray[np.uint16]) -> Array:
    """float32 of the same values: a bfloat16 is the upper half of one."""
    widened: Array = (bits.astype(np.uint32) << 16).view(np.float32)
    return widened
