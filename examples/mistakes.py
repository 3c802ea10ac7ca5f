"""A user's mistake, as a folder of data that is not there, is told in one line, not as a traceback.

@in_one_line()
def main() -> None:
    parser.add_argument("--trials", type=at_least(1))   # before minutes of training
    parser.add_argument("--ms", type=above(0))
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from niwaki.errors import NiwakiError


@contextmanager
def in_one_line() -> Iterator[None]:
    """Around an example's `main`: ends the program as `niwaki` ends, with 1 after a mistake."""
    try:
        yield
    except NiwakiError as error:
        sys.exit(f"error: {error}")


def at_least(least: int) -> Callable[[str], int]:
    """Reads a whole number from an option."""

    def read(text: str) -> int:
        if not text.removeprefix("-").isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"a whole number from {least} on, not {text}")
        return int(text)

    return read


def above(least: float) -> Callable[[str], float]:
    """Reads a number from an option."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and number > least):
            raise argparse.ArgumentTypeError(f"a number above {least:g}, not {text}")
        return number

    return read
