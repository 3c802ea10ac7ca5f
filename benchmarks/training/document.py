"""docs/accuracy.md, made of the file of results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from .experiment import DENSE
from .results import Row
from .tasks import TASKS, Task

OUTPUT = Path(__file__).resolve().parents[2] / "docs" / "accuracy.md"

INTRODUCTION = """\
# Accuracy of pruned networks

Networks that `niwaki.prune` has pruned, tested in PyTorch and compiled. Every number is in
[benchmarks/training/results.json](../benchmarks/training/results.json), with the rate of each
layer; this page is made from it (`python benchmarks/accuracy.py document`).

- **dense** is the same trained network, trained on for as many epochs at the same learning rate
  and not pruned. **lost** is what the pruned network has less, in points; below zero it is better.
- The rate is that of the pruned layers: all but the first, the last, and 1x1 shortcuts of residual
  networks, if nothing else is said. In brackets is that of all weights of the network.
- Where there are several seeds, numbers are means, and the lowest and highest accuracy follow.
- **compiled** is the accuracy of the compiled network on the same inputs, and in brackets how many
  predictions differ from PyTorch's.
- Budgets are those of a few CPU cores: epochs are few, and more would lift both dense and pruned
  networks. They were chosen with these tests in view, as were the methods' defaults; rows with
  smaller budgets stay.
"""


def document(rows: Sequence[Row]) -> str:
    """The page."""
    parts = [INTRODUCTION]
    for name, task in TASKS.items():
        mine = [row for row in rows if row["experiment"]["task"] == name]
        if mine:
            parts.append(_section(name, task, mine))
    return "\n".join(parts)


def _section(name: str, task: Task, rows: Sequence[Row]) -> str:
    first = f"{task.epochs} epochs of dense training come first" + (
        ", once for all seeds" if task.weights else ", for each seed"
    )
    lines = [
        f"## {task.title}",
        "",
        f"Tested on {task.test}. {first}; `epochs` are those of pruning and retraining. Data: "
        f"{task.licence}.",
        "",
        "| scheme | rate | method | epochs | seeds | dense | pruned | lost | compiled | found as |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *_lines(rows),
        "",
        f"`python benchmarks/accuracy.py run {name} --data FOLDER` makes a row again, with its",
        "`--scheme`, `--rate`, `--method`, `--epochs`, and `--seed` 0, 1 and so on.",
        "",
    ]
    return "\n".join(lines)


def _lines(rows: Sequence[Row]) -> Iterator[str]:
    """A line for each experiment, all seeds in it; schemes, then rates, then methods."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = {k: v for k, v in row["experiment"].items() if k != "seed"}
        groups.setdefault(tuple(key.values()), []).append(row)
    for _, group in sorted(groups.items(), key=lambda item: _order(item[1][0])):
        yield _line(group, rows)


def _order(row: Row) -> tuple[Any, ...]:
    experiment = row["experiment"]
    named = [experiment[key] for key in ("scheme", "rate", "epochs", "method", "learning_rate")]
    return (experiment["scheme"] != DENSE, *named)


def _line(group: Sequence[Row], rows: Sequence[Row]) -> str:
    experiment = group[0]["experiment"]
    accuracies = [row["accuracy"] for row in group]
    dense = [other["accuracy"] for row in group if (other := _dense(row, rows)) is not None]
    known = len(dense) == len(group)
    rates = mean(row["achieved_rate"] for row in group), mean(r["network_rate"] for r in group)
    differ = sum(row["compiled_differs"] for row in group)
    is_dense = experiment["scheme"] == DENSE
    cells = [
        experiment["scheme"],
        "" if is_dense else f"{rates[0]:.3g}x ({rates[1]:.3g}x)",
        "" if is_dense else f"`{experiment['method']}`",
        str(experiment["epochs"]),
        str(len(group)),
        f"{mean(dense):.2%}" if known and not is_dense else "",
        f"{mean(accuracies):.2%}{_spread(accuracies)}",
        f"{100 * (mean(dense) - mean(accuracies)):.2f}" if known and not is_dense else "",
        f"{mean(row['compiled_accuracy'] for row in group):.2%} ({differ})",
        "" if is_dense else _found(group),
    ]
    return f"| {' | '.join(cells)} |"


def _spread(accuracies: Sequence[float]) -> str:
    if len(accuracies) == 1:
        return ""
    return f" ({min(accuracies):.2%} to {max(accuracies):.2%})"


def _dense(row: Row, rows: Sequence[Row]) -> Row | None:
    """The dense network with the budget of the row."""
    shared = ("task", "epochs", "seed")
    return next(
        (
            other
            for other in rows
            if other["experiment"]["scheme"] == DENSE
            and all(other["experiment"][key] == row["experiment"][key] for key in shared)
        ),
        None,
    )


def _found(group: Sequence[Row]) -> str:
    """Kinds of schemes that the compiler found in pruned layers, the most frequent first."""
    counts: dict[str, int] = {}
    for row in group:
        owners = {name.split(".weight_")[0] for name in row["layer_rates"]}
        for name in owners & row["schemes"].keys():
            for scheme in row["schemes"][name]:
                kind = scheme.split("(")[0]
                counts[kind] = counts.get(kind, 0) + 1
    total = sum(counts.values())
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    if len(ranked) == 1:
        return f"`{ranked[0][0]}`"
    return ", ".join(f"`{kind}` {count / total:.0%}" for kind, count in ranked)
