"""The progress of a compilation as a bar in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..printable import printable
from ..progress import Progress
from ..text_table import shortened

if TYPE_CHECKING:
    from rich.progress import Progress as Display

STAGE, LAYER, BAR = 22, 28, 16  # columns, so that all of it fits 80


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar with stage, layer and time on standard error, gone when the block ends.

    Nothing where that is no terminal, whatever the environment says about colours.
    """
    if not sys.stderr.isatty():
        yield Progress()
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(bar_width=BAR),
        progress.TextColumn("{task.fields[layer]}", markup=False),
        progress.TimeElapsedColumn(),
    )
    # What the user's own file prints stays on standard output.
    console = Console(stderr=True)
    with progress.Progress(
        *columns, console=console, transient=True, redirect_stdout=False
    ) as display:
        yield _Bar(display)


class _Bar(Progress):
    def __init__(self, display: Display) -> None:
        self._display = display
        self._task = display.add_task("starting".ljust(STAGE), total=None, layer="")
        self._begun = 0

    def begin(self, stages: int) -> None:
        self._display.update(self._task, total=stages)

    def stage(self, name: str) -> None:
        text = shortened(name, STAGE).ljust(STAGE)
        self._display.update(self._task, completed=self._begun, description=text, layer="")
        self._begun += 1

    def layer(self, name: str) -> None:
        self._display.update(self._task, layer=shortened(printable(name), LAYER))
