"""Tables of plain text for people, as narrow as they must be.

layer                 op         kept
---------------------------------------
layer1.0..ownsample   conv 1x1   100.0%
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from niwaki.printable import printable

WIDTH = 80
GAP = "  "
CUT = ".."
LEAST = 8  # letters of a cell that is shortened


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: what stands above.
        number: whether its cells are numbers, which stand at the right and are never shortened.
    """

    heading: str
    number: bool = False


def text_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None = None
) -> list[str]:
    """The lines of a table: headings, a rule, and a line for each row.

    Args:
        columns: those without any cell are left out.
        rows: a cell for each column.
        width: the most columns of the terminal to take; without it 80, or more where a wide
            terminal then shows everything in full.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    shown = [at for at in range(len(columns)) if any(row[at] for row in rows) or not rows]
    columns = [columns[at] for at in shown]
    rows = [[row[at] for at in shown] for row in rows]
    widths = [
        max([len(column.heading), *(len(row[at]) for row in rows)])
        for at, column in enumerate(columns)
    ]
    gaps = len(GAP) * (len(columns) - 1)
    if width is None:
        width = line_width(sum(widths) + gaps)
    narrow(columns, widths, width - gaps)
    headings = [column.heading for column in columns]
    lines = [_line(columns, widths, row) for row in [headings, *rows]]
    return [lines[0], "-" * (sum(widths) + gaps), *lines[1:]]


def line_width(wanted: int = WIDTH) -> int:
    """Columns to take of the terminal for text that takes `wanted` of them in full.

    Without a terminal 80, so that what is written to files does not depend on where.
    """
    if sys.stdout is None or not sys.stdout.isatty():  # None: a daemon closed it
        return WIDTH
    terminal = shutil.get_terminal_size().columns
    return terminal if wanted <= terminal else min(WIDTH, terminal)


def narrow(columns: Sequence[Column], widths: list[int], most: int) -> None:
    """Take letters from the widest columns of text, until all together take at most `most`."""
    texts = [at for at, column in enumerate(columns) if not column.number]
    while sum(widths) > most and texts:
        widest = max(texts, key=lambda at: widths[at])
        if widths[widest] <= LEAST:
            return
        widths[widest] -= 1


def shortened(text: str, width: int) -> str:
    """At most `width` letters of a text: its middle is left out, names differ at their ends."""
    if len(text) <= width:
        return text
    head = (width - len(CUT)) // 2
    return text[:head] + CUT + text[head + len(CUT) + len(text) - width :]


def wrapped(text: str, indent: str = "", hanging: str = "    ", width: int | None = None) -> str:
    """A text in lines of at most `width` columns, those after the first further to the right."""
    return textwrap.fill(
        printable(text),
        line_width() if width is None else width,
        initial_indent=indent,
        subsequent_indent=indent + hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _line(columns: Sequence[Column], widths: Sequence[int], row: Sequence[str]) -> str:
    cells = [
        cell.rjust(size) if column.number else shortened(cell, size).ljust(size)
        for column, size, cell in zip(columns, widths, row, strict=True)
    ]
    return GAP.join(cells).rstrip()
