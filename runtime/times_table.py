"""The times of a network's layers as a table for people."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from .layer_rows import layer_rows
from .layer_times import LayerTimes
from .manifest import Manifest

if TYPE_CHECKING:
    from rich.table import Table


def times_text(manifest: Manifest, times: LayerTimes, width: int = 160) -> str:
    """The table, at most `width` columns wide."""
    from rich.console import Console

    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(times_table(manifest, times))
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def times_table(manifest: Manifest, times: LayerTimes) -> Table:
    """One row for each kernel run of a call, then what is left, then the whole."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, show_footer=True)
    table.add_column("layer", f"total, {_calls(times)}", overflow="fold")
    for heading in ("op", "kernel"):
        table.add_column(heading, overflow="fold")
    table.add_column("time", microseconds(times.total), justify="right", no_wrap=True)
    table.add_column("share", "100.0%", justify="right", no_wrap=True)
    table.add_column("GFLOP/s", justify="right", no_wrap=True)
    for row in layer_rows(manifest, times):
        if row.seconds is None:
            continue
        rate = "" if row.gflops is None else f"{row.gflops:.1f}"
        share = f"{100 * row.seconds / times.total:.1f}%"
        cells = (row.layer, row.what, row.kernel, microseconds(row.seconds), share, rate)
        # As Text, because a name may hold [brackets], which rich would take for markup.
        table.add_row(*map(Text, cells))
    share = f"{100 * times.other / times.total:.1f}%"
    table.add_row("other", "between kernels", "", microseconds(times.other), share, "")
    return table


def microseconds(seconds: float) -> str:
    """A time for people: ``1,234.5 us``."""
    return f"{1e6 * seconds:,.1f} us"


def _calls(times: LayerTimes) -> str:
    threads = f"{times.threads} thread{'' if times.threads == 1 else 's'}"
    return f"{times.calls} profiled calls, {threads}"
