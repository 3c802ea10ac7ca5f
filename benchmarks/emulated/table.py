"""Model cycles as tables for people and as JSON values for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from contender import Contender
from rich.markup import escape
from rich.table import Table
from tables import error_text, verdict

from emulated.counting import Counted
from emulated.plan import CORE, Plan
from niwaki.runtime.model_cycles.model import ModelCycles

MEGA = 1e6
# Of the cycles, what multiply-adds alone need, in all code and in hot loops; loads there.
FIGURES = ("steady", "bound", "fmla", "fmla in loops", "loads/fmla in loops")
BLOCKS = 10  # hottest ones that JSON keeps


def cycles_table(plan: Plan, results: Mapping[str, Counted]) -> Table:
    """One row for each contender; ours say what was wanted of them."""
    title = f"{plan.network}, millions of model cycles on {CORE}, one thread"
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.add_column("engine, weights")
    for column in (*FIGURES, "error", "fewer than best f32", "wanted"):
        table.add_column(column, justify="right")
    wanted = dict(goals(plan, results))
    best = best_peer(results, plan.peers(plan.in_f32))
    for contender in plan.contenders:
        label = contender.label
        counted = results[label]
        error = error_text(counted.error)
        if counted.cycles is None:
            blank = ["-"] * len(FIGURES)
            table.add_row(label, *blank, error, "", escape(counted.problem))
            continue
        steady = counted.cycles.steady / MEGA
        fewer = f"{best / steady:.2f}x" if best and label in wanted else ""
        outcome = _outcome(steady, wanted.get(label))
        table.add_row(label, *_figures(counted.cycles), error, fewer, outcome)
    return table


def goals(plan: Plan, results: Mapping[str, Counted]) -> Iterator[tuple[str, float | None]]:
    """The label of each of our contenders, and how many millions of cycles it is to take."""
    best = best_peer(results, plan.peers(plan.in_f32))
    for wanted in plan.wanted:
        yield wanted.contender.label, wanted.at_most(best)


def best_peer(results: Mapping[str, Counted], peers: Iterable[Contender]) -> float | None:
    """Millions of cycles of the fastest of `peers`; None where none was counted."""
    counted = [results[peer.label].cycles for peer in peers]
    return min((cycles.steady / MEGA for cycles in counted if cycles), default=None)


def cycles_json(plan: Plan, results: Mapping[str, Counted]) -> dict[str, Any]:
    """Everything that was counted, but only the hottest blocks."""
    wanted = dict(goals(plan, results))
    return {
        "case": plan.name,
        "core": CORE,
        "best_f32": best_peer(results, plan.peers(plan.in_f32)),
        "best_f16": best_peer(results, plan.peers(plan.in_f16)),
        "contenders": [
            {
                "label": contender.label,
                "engine": contender.engine.name,
                "version": contender.engine.version(),
                "workload": contender.workload.name,
                "wanted": wanted.get(contender.label),
                **_counted_json(results[contender.label]),
            }
            for contender in plan.contenders
        ],
    }


def _figures(cycles: ModelCycles) -> tuple[str, ...]:
    """A cell for each of FIGURES."""
    loops = cycles.hot_loops
    return (
        f"{cycles.steady / MEGA:.1f}",
        f"{cycles.bound / MEGA:.1f}",
        f"{100 * cycles.fmla_bound / cycles.steady:.0f} %",
        f"{100 * loops.of_bound:.0f} %" if loops else "",
        f"{loops.loads_per_fmla:.2f}" if loops else "",
    )


def _outcome(steady: float, at_most: float | None) -> str:
    return "" if at_most is None else f"{at_most:.1f}: {verdict(steady <= at_most)}"


def _counted_json(counted: Counted) -> dict[str, Any]:
    found: dict[str, Any] = {"error": counted.error, "problem": counted.problem}
    if counted.cycles:
        found |= counted.cycles.to_json()
        found["blocks"] = found["blocks"][:BLOCKS]
    return found
