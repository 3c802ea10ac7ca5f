"""How much accuracy each layer costs when it alone is pruned, at several rates.

    rows = sensitivity(model, accuracy, scheme="block_punched", rates=(2, 4, 8))

Layers that lose little can be pruned more than others (https://arxiv.org/abs/1608.08710). Nothing
is retrained: this is what is lost at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
from rich.console import Console
from torch import nn

from niwaki.errors import NiwakiError
from niwaki.printable import printable
from niwaki.schemes.base import check_rate

from ..batches import evaluate
from ..layer_names import named_layers
from ..layers import find_layers
from ..progress import progress_bar
from ..scheme import PruningScheme, parse_scheme
from ..selection import Target, misfit

Evaluate = Callable[[nn.Module], float]


@dataclass(frozen=True)
class Sensitivity:
    """One layer, pruned alone at one rate.

    Attributes:
        layer: its name.
        scheme: that it is pruned to.
        asked: the rate that was asked for.
        rate: all weights / kept weights; None where it was not pruned.
        score: what the evaluation gave; None where it was not pruned.
        dense: what it gave of the whole network.
        remark: why there is no score; empty where there is one.
    """

    layer: str
    scheme: str
    asked: float
    rate: float | None
    score: float | None
    dense: float
    remark: str = ""


def sensitivity(
    model: nn.Module,
    eval: Evaluate,
    *,
    scheme: str | PruningScheme = "block_punched",
    rates: Sequence[float] = (2, 4, 8, 16),
    layers: Sequence[str] = ("*",),
    progress: bool = True,
) -> list[Sensitivity]:
    """Prune each layer alone by magnitude, evaluate, and put its weights back; for each rate.

    A layer that the scheme does not fit, or not at a rate, is skipped with a remark. The network
    itself stays as it is: a copy is pruned.

    Args:
        eval: of the network in eval mode, e.g. its accuracy; it is called layers x rates + 1 times.
        layers: names, with ``*`` and ``?``, or ``type:Conv2d`` for a class of modules.
        progress: show a progress bar on the error stream, and each layer's scores in a line.

    Raises:
        NiwakiError: no such layer or scheme, a rate below 1, no layer that can be pruned, or the
            evaluation of the dense network is not finite.
    """
    for rate in rates:
        check_rate(rate)
    scheme = parse_scheme(scheme)
    network = deepcopy(model)
    targets = [
        [Target(layer, scheme, rate) for rate in rates]
        for layer in named_layers(find_layers(network), layers)
    ]
    if all(misfit(target) for of_layer in targets for target in of_layer):
        asked = ", ".join(f"{rate:g}" for rate in rates) or "none"
        raise NiwakiError(
            f"no layer can be pruned to {scheme} at rates of {asked}: choose another scheme, or "
            "other rates"
        )

    console = Console(stderr=True, quiet=not progress)
    bar = progress_bar(console)
    task = bar.add_task("dense", total=1 + sum(map(len, targets)))
    rows = []
    # Elsewhere than in a terminal it would be a line of nothing.
    with bar if console.is_terminal else nullcontext():
        dense = evaluate(eval, network)
        if not math.isfinite(dense):
            raise NiwakiError(f"the evaluation of the dense network gives {dense}: mend it first")
        bar.advance(task)
        for of_layer in targets:
            bar.update(task, description=of_layer[0].layer.name)
            for target in of_layer:
                rows.append(_row(target, lambda: evaluate(eval, network), dense))
                bar.advance(task)
            console.print(printable(_line(rows[-len(of_layer) :])), markup=False, soft_wrap=True)
    return rows


def _row(target: Target, score: Callable[[], float], dense: float) -> Sensitivity:
    layer, scheme = target.layer, target.scheme
    row = Sensitivity(layer.name, str(scheme), target.rate, None, None, dense, misfit(target))
    if row.remark:
        return row
    weights = layer.array(layer.weight)
    mask = scheme.fit(weights).mask(weights, target.rate, layer.groups)
    row = replace(row, rate=mask.size / int(np.count_nonzero(mask)))
    before = layer.weight.detach().clone()
    layer.weight.data.masked_fill_(~layer.tensor(mask), 0)
    value = score()
    layer.weight.data.copy_(before)
    if not math.isfinite(value):
        return replace(row, remark=f"the evaluation gives {value}")
    return replace(row, score=value)


def _line(rows: Sequence[Sensitivity]) -> str:
    """Scores of one layer at all rates, with remarks."""
    scores = [
        f"{row.asked:g}x skipped: {row.remark}"
        if row.score is None
        else f"{row.asked:g}x {row.score:.4g}"
        for row in rows
    ]
    return f"{rows[0].layer}: {', '.join(scores)}"
