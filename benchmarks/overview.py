"""Several cases in one table: networks x engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from case import Case, Goal
from race import Result
from rich.table import Table
from tables import MILLI, verdict

Measured = tuple[Case, Mapping[str, Result]]


def overview_table(title: str, measured: Sequence[Measured]) -> Table:
    """One row for each case, with each engine's median; what came of the goals below."""
    contenders = [contender for case, _ in measured for contender in case.contenders]
    engines = list(dict.fromkeys(contender.engine.name for contender in contenders))
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.add_column("median ms", no_wrap=True)
    for engine in engines:
        table.add_column(engine, justify="right")
    for case, results in measured:
        cells = {c.engine.name: _median(results[c.label]) for c in case.contenders}
        table.add_row(case.title, *(cells.get(engine, "") for engine in engines))
    table.caption = "\n".join(
        f"{case.title}: {goal_text(goal, results)}"
        for case, results in measured
        for goal in case.goals
    )
    return table


def goal_text(goal: Goal, results: Mapping[str, Result]) -> str:
    """For example ``3.10 over ncnn, wanted at least 2.9: reached``."""
    rival, ratio = goal.rival(results), goal.measured(results)
    if rival is None or ratio is None:
        return "not measured"
    engine = rival.partition(",")[0]
    outcome = verdict(goal.is_reached(ratio.median))
    return f"{ratio.median:.2f} over {engine}, wanted {goal}: {outcome}"


def _median(result: Result) -> str:
    return f"{result.times.median * MILLI:.1f}" if result.times else "-"
