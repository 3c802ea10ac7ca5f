"""Costs of layers as a table for people and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from niwaki.layer_costs import AS_IT_IS, LayerForm, Setting
from niwaki.text_table import Column, text_table

from .oracle import Oracle


def cost_rows(
    oracle: Oracle, schemes: Sequence[str], rates: Sequence[float]
) -> list[dict[str, Any]]:
    """Seconds of each layer: dense, and in each scheme at each rate that it can have."""
    return [
        {
            "layer": name,
            "filters": form.filters,
            "channels": form.channels,
            "taps": form.taps,
            "groups": form.groups,
            "positions": form.positions,
            "dense": oracle.seconds(name, AS_IT_IS),
            "pruned": [
                {"scheme": scheme, "rate": rate, "seconds": seconds}
                for scheme in schemes
                for rate in rates
                if not math.isinf(seconds := oracle.seconds(name, Setting(scheme, rate)))
            ],
        }
        for name, form in oracle.layers.items()
    ]


def cost_json(
    oracle: Oracle, source: str, schemes: Sequence[str], rates: Sequence[float]
) -> dict[str, Any]:
    """All that `niwaki cost --json` prints; times in seconds."""
    return {
        "target": oracle.subject.target.name,
        "source": source,
        "dense": oracle.network({}),
        "other": sum(oracle.others.values()),
        "layers": cost_rows(oracle, schemes, rates),
    }


def cost_text(oracle: Oracle, source: str, schemes: Sequence[str], rates: Sequence[float]) -> str:
    """The same for people; times in milliseconds."""
    lines = []
    for row in cost_rows(oracle, schemes, rates):
        times = {(one["scheme"], one["rate"]): one["seconds"] for one in row["pruned"]}
        head = [row["layer"], _form(oracle.layers[row["layer"]]), "dense", _ms(row["dense"])]
        lines.append([*head, *("" for _ in rates)])
        for scheme in schemes:
            cells = [_ms(times.get((scheme, rate))) for rate in rates]
            if any(cells):
                lines.append(["", "", scheme, "", *cells])
    columns = [Column("layer"), Column("weights"), Column("scheme"), Column("1x", number=True)]
    columns += [Column(f"{rate:g}x", number=True) for rate in rates]
    total = f"dense network {_ms(oracle.network({}))} ms"
    if oracle.others:
        total += f", of which {_ms(sum(oracle.others.values()))} are no layer's"
    told = f"ms on {oracle.subject.target.name}, by {source}: {total}"
    return "\n".join([*text_table(columns, lines), told])


def _form(form: LayerForm) -> str:
    groups = f" groups {form.groups}" if form.groups > 1 else ""
    return f"{form.filters}x{form.channels}x{form.taps}{groups}"


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{1e3 * seconds:.3f}"
