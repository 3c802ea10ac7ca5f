"""A corner of a layer's weights, small enough to be stored for a picture of what is kept."""

from __future__ import annotations

from .base import Bools

FILTERS, CHANNELS = 16, 16


def sample(nonzero: Bools) -> list[str]:
    """The kept taps of the first filters and channels of ``nonzero[F, C, T]``.

    One string for each filter: for each channel its taps as a hexadecimal number of `digits` (T)
    digits, the first tap its highest bit. Empty where there is nothing to see: kernels of one tap,
    or no zeros.
    """
    taps = nonzero.shape[2]
    if taps == 1 or nonzero.all():
        return []
    width = digits(taps)
    return [
        "".join(f"{_number(kernel):0{width}x}" for kernel in row)
        for row in nonzero[:FILTERS, :CHANNELS].tolist()
    ]


def _number(kernel: list[bool]) -> int:
    return int("".join("01"[tap] for tap in kernel), 2)


def digits(taps: int) -> int:
    """Hexadecimal digits of one kernel."""
    return -(-taps // 4)


def kernels(row: str, taps: int) -> list[list[bool]]:
    """Inverse for one filter: the kept taps of each channel's kernel."""
    width = digits(taps)
    numbers = [int(row[at : at + width], 16) for at in range(0, len(row), width)]
    return [[bool(number >> bit & 1) for bit in reversed(range(taps))] for number in numbers]
