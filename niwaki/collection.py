"""Python's garbage collection, while a compiler makes objects by the million that stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# New objects between two collections. Python's 700 cost a tenth of the time of compiling ResNet-50,
# 50,000 half a second of the 13 for EfficientNet-B0; this many, a tenth of one, and no memory.
OBJECTS = 500_000


@contextmanager
def rare_collection() -> Iterator[None]:
    """Look for garbage less often; where nobody looks for it at all, leave it so."""
    thresholds = gc.get_threshold()
    if 0 < thresholds[0] < OBJECTS:
        gc.set_threshold(OBJECTS, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
