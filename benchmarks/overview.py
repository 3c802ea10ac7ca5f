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
    every = [column for case, _ in measured for column in _columns(case)]
    columns = list(dict.fromkeys(every))
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.add_column("median ms", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right")
    for case, results in measured:
        cells = {column: _median(results[label]) for column, label in _columns(case).items()}
        table.add_row(case.title, *(cells.get(column, "") for column in columns))
    table.caption = "\n".join(
        f"{case.title}: {goal_text(goal, results)}"
        for case, results in measured
        for goal in case.goals
    )
    return table


def _columns(case: Case) -> dict[str, str]:
    """Labels by column: the engine's, unless the contender runs other weights than the first."""
    weights = case.contenders[0].workload
    return {
        contender.engine.name if contender.workload == weights else contender.label: contender.label
        for contender in case.contenders
    }


def goal_text(goal: Goal, results: Mapping[str, Result]) -> str:
    """For example ``3.10 over ncnn, wanted at least 2.9: reached``."""
    rival, ratio = goal.rival(results), goal.measured(results)
    if rival is None or ratio is None:
        return "not measured"
    engine, _, weights = rival.partition(", ")
    name = engine if weights == goal.fast.partition(", ")[2] else rival
    outcome = verdict(goal.is_reached(ratio.median))
    return f"{ratio.median:.2f} over {name}, wanted {goal}: {outcome}"


def _median(result: Result) -> str:
    return f"{result.times.median * MILLI:.1f}" if result.times else "-"
