"""Choose layers to keep wide, by what narrowing others does to the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def layers_to_keep(
    count: int,
    error: Callable[[tuple[bool, ...]], float],
    error_alone: Callable[[int], float],
    tolerance: float,
) -> Sequence[int]:
    """Numbers of layers to keep, such that the others may be narrow together.

    They are those that cost most alone, and as few of them as the tolerance allows. Errors mostly
    add up, so how few is found by halving. What costs nothing alone comes last.

    Args:
        count: of layers.
        error: of the results where the layers with true entries are narrow; 0 where none is.
        error_alone: of the results where one layer is narrow. It orders layers and decides nothing.
        tolerance: the largest error that may be.
    """
    if error((True,) * count) <= tolerance:
        return ()
    order = sorted(range(count), key=error_alone, reverse=True)
    least, enough = 1, count
    while least < enough:
        middle = (least + enough) // 2
        if error(without(order[:middle], count)) <= tolerance:
            enough = middle
        else:
            least = middle + 1
    return order[:enough]


def without(kept: Sequence[int], count: int) -> tuple[bool, ...]:
    """For each layer whether it is narrow, where those that are kept are not."""
    return tuple(number not in kept for number in range(count))
