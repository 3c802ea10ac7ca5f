"""The times of a network's layers as a table for people."""

from __future__ import annotations

import re
from collections.abc import Hashable

from niwaki.text_table import Column, text_table, wrapped

from .called_layers import identity, named
from .layer_rows import Row, layer_rows
from .layer_times import LayerTimes
from .manifest import Manifest
from .quantities import microseconds, percent
from .report import IREE

_NUMBER = re.compile(r"_\d+$")  # tells kernels of one family apart


def times_text(manifest: Manifest, times: LayerTimes, width: int | None = None) -> str:
    """One row for each layer that kernels compute, with the time of all its calls; then the whole.

    At most `width` columns wide; without it as `text_table` says.
    """
    columns = [*map(Column, ("layer", "op", "scheme", "kernel"))]
    columns += [Column("kept", number=True), Column("time", number=True)]
    runs: dict[Hashable, list[Row]] = {}
    for row in layer_rows(manifest, times):
        if row.seconds is not None:
            what = identity(row.record) if row.record else (row.layer, row.what)
            runs.setdefault(what, []).append(row)
    lines = text_table(columns, [_cells(rows) for rows in runs.values()], width)
    threads = f"{times.threads} thread{'' if times.threads == 1 else 's'}"
    whole = (
        f"{microseconds(times.total)} a call, {microseconds(times.other)} of it between kernels "
        f"({times.calls} profiled calls, {threads})"
    )
    return "\n".join([*lines, "", wrapped(whole, width=width)])


def _cells(runs: list[Row]) -> tuple[str, ...]:
    """The row of a table for all calls of a layer, or for like runs of another kernel."""
    row = runs[0]
    name = named(row.layer, len(runs))
    time = microseconds(sum(run.seconds or 0.0 for run in runs))
    if row.record is None:
        family = IREE if row.kind == "iree" else _NUMBER.sub("", row.kernel)
        return (name, row.what.removeprefix("IREE: "), "", family, "", time)
    kept = percent(row.record.kept, row.record.weights)
    return (name, row.what, row.record.scheme, row.record.family or IREE, kept, time)
