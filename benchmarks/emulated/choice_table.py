"""Choices of kernels as a table for people and as JSON values for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table
from tables import verdict

from emulated.choices import CountedChoice
from emulated.plan import CORE

MEGA = 1e6
# What a chosen kernel may take of the best one's cycles.
ALLOWED = 1.05


def choices_table(choices: Sequence[CountedChoice]) -> Table:
    """One row for each layer: what was chosen, and what is best of what was counted."""
    title = f"Kernels that are chosen, millions of model cycles on {CORE}"
    table = Table(title=title, title_justify="left", caption_justify="left")
    for column in ("layer", "chosen", "best"):
        table.add_column(column)
    table.add_column("over best", justify="right")
    for choice in choices:
        chosen, best = choice.chosen, choice.best
        table.add_row(
            choice.layer.name,
            f"{chosen.cycles / MEGA:.3f} {chosen.kernel}",
            "" if best == chosen else f"{best.cycles / MEGA:.3f} {best.kernel}",
            f"{100 * (choice.over_best - 1):.1f} %",
        )
    good = within(choices)
    told = f"{good} of {len(choices)} within {100 * (ALLOWED - 1):.0f} % of the best"
    table.caption = f"{told}, wanted: all: {verdict(good == len(choices))}"
    return table


def within(choices: Sequence[CountedChoice]) -> int:
    """How many of them are as good as they should be."""
    return sum(choice.over_best <= ALLOWED for choice in choices)


def choices_json(choices: Sequence[CountedChoice]) -> dict[str, Any]:
    """Everything that was counted."""
    return {
        "core": CORE,
        "within": within(choices),
        "layers": [
            {
                "layer": choice.layer.name,
                "over_best": choice.over_best,
                "candidates": [asdict(candidate) for candidate in choice.candidates],
            }
            for choice in choices
        ],
    }
