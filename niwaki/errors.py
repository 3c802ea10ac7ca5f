"""What Niwaki raises: for mistakes of the user, for bugs of its own, and a warning."""

from __future__ import annotations

from .printable import printable


class NiwakiError(Exception):
    """A user's mistake, told in one line that names the layer or file and what to do.

    The command line prints the message and exits with code 1.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


class CompilerBug(RuntimeError):
    """Niwaki itself failed.

    The message says which pass did and how to reproduce it; the cause is chained.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


class NiwakiWarning(RuntimeWarning):
    """Something that works, and not as it should: one line with the remedy."""
