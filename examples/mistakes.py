"""A user's mistake, as a folder of data that is not there, is told in one line, not as a traceback.

@in_one_line()
def main() -> None: ...
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from niwaki.errors import NiwakiError


@contextmanager
def in_one_line() -> Iterator[None]:
    """Around an example's `main`: ends the program as `niwaki` ends, with 1 after a mistake."""
    try:
        yield
    except NiwakiError as error:
        sys.exit(f"error: {error}")
