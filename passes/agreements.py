"""What networks that share weights agree on, so that these are stored once.

A bundle for several lengths holds a network for each. What is best for 256 rows is not what is best
for 32: filters in another order, or in blocks of another height, would be other bytes. The network
that is compiled first decides, and the others follow where they find the same weights.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass
class Agreements:
    """Decisions by what they were made for.

    Attributes:
        orders: of filters that are written together: their order, and why they do not get it.
        storages: by weights, how they are stored.
    """

    orders: dict[Hashable, tuple[npt.NDArray[np.intp], str]] = field(default_factory=dict)
    storages: dict[Hashable, Hashable] = field(default_factory=dict)
