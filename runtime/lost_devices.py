"""GPUs that are lost on the way: the same again, on a new device.

A driver gives a device up when the GPU was reset. IREE 3.13 loses one of its own accord, too: its
two threads wake a queue by counting up a timeline semaphore, and when the cores are busy the higher
count may come first, which Vulkan forbids; Mesa's drivers then answer `VK_ERROR_DEVICE_LOST`. A
network is a function of its inputs, so that nothing is lost with the device but time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from niwaki.errors import NiwakiError

T = TypeVar("T")

ATTEMPTS = 4

# IREE tells the first caller of the Vulkan error, and those that wait for him of lost data only.
_SIGNS = ("DEVICE_LOST", "DATA_LOSS")


def survive(attempt: Callable[[], T], path: str) -> T:
    """What `attempt` gives, tried again where the device is lost; it must make a new one then.

    Raises:
        NiwakiError: each attempt lost its device.
    """
    for _ in range(ATTEMPTS):
        try:
            return attempt()
        except (RuntimeError, ValueError, NiwakiError) as error:
            if not any(sign in str(error) for sign in _SIGNS):
                raise
            told = str(error)
    raise NiwakiError(
        f"{path}: the device was lost {ATTEMPTS} times in a row ({told.splitlines()[0]}); look at "
        "its driver's messages, or compile the model for a CPU target"
    )
