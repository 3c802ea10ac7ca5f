"""Results as tables for people and as JSON values for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from case import Case, Goal
from figure import Figure
from race import Result
from rich.markup import escape
from rich.table import Table
from timing import ratio

MILLI = 1e3


def case_table(case: Case, results: Mapping[str, Result]) -> Table:
    """One row for each contender: time, and how many times longer than the first one's it is."""
    table = Table(title=case.title, title_justify="left", caption_justify="left")
    table.add_column("engine, weights")
    for column in ("median ms", "p10 ms", "times longer (p10 to p90 of rounds)", "error"):
        table.add_column(column, justify="right")
    first = results[case.contenders[0].label].times
    for label, result in results.items():
        if result.times is None:
            table.add_row(label, "-", "-", escape(result.problem), error_text(result.error))
            continue
        scale = MILLI / case.layers
        times = result.times
        longer = str(ratio(times, first)) if first and times is not first else ""
        table.add_row(
            label,
            f"{times.median * scale:.3f}",
            f"{times.p10 * scale:.3f}",
            longer,
            error_text(result.error),
        )
    table.caption = "\n".join(goal_lines(case, results))
    return table


def goal_lines(case: Case, results: Mapping[str, Result]) -> list[str]:
    """One line for each goal: what was wanted, what was measured."""
    lines = []
    for goal in case.goals:
        measured = goal.measured(results)
        outcome = "not measured"
        if measured:
            outcome = f"{measured}: {verdict(goal.is_reached(measured.median))}"
        lines.append(f"{_slow(goal, results)} / {goal.fast}, wanted {goal}: {outcome}")
    return lines


def _slow(goal: Goal, results: Mapping[str, Result]) -> str:
    """Whose time counts, and among how many it was the shortest."""
    if len(goal.slow) == 1:
        return goal.slow[0]
    measured = sum(results[label].times is not None for label in goal.slow)
    return f"{goal.rival(results) or 'none'} (fastest of {measured})"


def case_json(case: Case, results: Mapping[str, Result]) -> dict[str, Any]:
    """Everything that was measured; times in seconds."""
    return {
        "case": case.name,
        "title": case.title,
        "layers": case.layers,
        "contenders": [
            {
                "label": contender.label,
                "engine": contender.engine.name,
                "version": contender.engine.version(),
                "workload": contender.workload.name,
                **_result_json(results[contender.label]),
            }
            for contender in case.contenders
        ],
        "goals": [
            {
                "slow": goal.slow,
                "rival": goal.rival(results),
                "fast": goal.fast,
                "at_least": goal.at_least,
                "at_most": goal.at_most,
                "measured": (measured := goal.measured(results)) and vars(measured),
                "reached": measured and goal.is_reached(measured.median),
            }
            for goal in case.goals
        ],
    }


def _result_json(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = {"error": result.error, "problem": result.problem}
    if result.times:
        times = result.times
        found |= {"median": times.median, "p10": times.p10, "rounds": times.rounds}
    return found


def figures_table(title: str, figures: Sequence[Figure]) -> Table:
    """One row for each figure."""
    table = Table(title=title, title_justify="left")
    table.add_column("figure")
    for column in ("measured", "wanted", ""):
        table.add_column(column, justify="right")
    for figure in figures:
        outcome = "" if figure.is_reached is None else verdict(figure.is_reached)
        table.add_row(
            figure.name, f"{figure.value:.4g} {figure.unit}".strip(), figure.wanted, outcome
        )
    return table


def figures_json(title: str, figures: Sequence[Figure]) -> dict[str, Any]:
    """Everything that was measured."""
    rows = [{**vars(figure), "reached": figure.is_reached} for figure in figures]
    return {"title": title, "figures": rows}


def verdict(is_reached: bool) -> str:
    """Whether what was wanted was measured."""
    return "reached" if is_reached else "MISSED"


def error_text(error: float | None) -> str:
    """An error relative to the largest result; a dash where nothing came out."""
    return "-" if error is None else f"{error:.0e}"
