"""Text that others chose, made harmless for a terminal.

Names of layers, tensors and files may hold anything, also what moves a cursor, changes colours or
reverses the direction of writing.
"""

from __future__ import annotations


def printable(text: str) -> str:
    r"""`text` on one line: what is no visible character is written as Python would, e.g. \x1b."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def printable_lines(text: str) -> str:
    """`text` with its line breaks, and nothing else that is no visible character."""
    return "\n".join(map(printable, text.split("\n")))
