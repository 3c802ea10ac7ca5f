"""docs/accuracy.md, made of the file of results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
  networks, if nothing else is said. In brackets is that of all weights of the network. Each layer
  has the rate, but where `weights` stands beside the method: there they reach it together.
- **distilled**: while it is retrained, the network learns from labels and from the dense one of the
  same row, with this share. The dense one has no teacher.
- Where there are several seeds, numbers are means, and the lowest and highest accuracy follow.
- **compiled** is the accuracy of the compiled network on the same inputs, and in brackets how many
  predictions differ from PyTorch's.
- **found as** is the shape of zeros that the compiler saw in the pruned layers. It is the cheapest
  of those that fit: blocks whose rows save no time are `block_punched`, also where they were
  trained as `block_column_row`, and `n_m` that saves none is `dense`, as 2 of 4 here. In a GRU's
  first step the state is zero, and nothing is left of its product: that is `channel`. Zero filters
  leave with the channels that they would have written: what reads them alone is smaller and
  `dense`, what adds them to others stays as it was.
- Budgets are those of a few CPU cores: epochs are few, and more would lift both dense and pruned
  networks. They were chosen with these tests in view, as were the methods' defaults; rows with
  smaller budgets stay.
"""


@dataclass(frozen=True)
class Goal:
    """How much accuracy pruning may cost.

    Attributes:
        what: in words.
        task, scheme: of the rows that count.
        rate: at least, and no more than a fifth above.
        methods: of which one must do.
        most: points that may be lost.
    """

    what: str
    task: str
    scheme: str
    rate: float
    methods: tuple[str, ...]
    most: float

    def group(self, rows: Sequence[Row]) -> Sequence[Row] | None:
        """All seeds of the experiment that counts: of those with most seeds the best one."""
        groups = [
            group
            for group in _groups(rows)
            if group[0]["experiment"]["task"] == self.task
            and group[0]["experiment"]["scheme"] == self.scheme
            and self.rate <= group[0]["experiment"]["rate"] <= 1.2 * self.rate
            and group[0]["experiment"]["method"].split("(")[0] in self.methods
            and _lost(group, rows) is not None
        ]
        return min(groups, key=lambda g: (-len(g), _lost(g, rows)), default=None)


TRAINED = ("gradual", "admm", "reweighted")
ANY = ("magnitude", *TRAINED)
GOALS = (
    Goal("CIFAR-10, ResNet-20, patterns 2.25x", "cifar10", "pattern", 2.25, ANY, 0),
    Goal("Fashion-MNIST, patterns 2.25x", "fashion_mnist", "pattern", 2.25, ANY, 0),
    Goal(
        "CIFAR-10, ResNet-20, patterns and connectivity 4x", "cifar10", "pattern", 4, TRAINED, 1.5
    ),
    Goal("the same, blocks 4x", "cifar10", "block_punched", 4, TRAINED, 1.5),
    Goal("CIFAR-10, VGG-16 of half width, patterns 2.25x", "half_vgg16", "pattern", 2.25, ANY, 0),
    Goal("the same, patterns and connectivity 8x", "half_vgg16", "pattern", 8, TRAINED, 0.5),
    Goal("the same, blocks 8x", "half_vgg16", "block_punched", 8, TRAINED, 0.5),
    Goal(
        "spoken digits, GRU, blocks of columns and rows 10x",
        "spoken_digits",
        "block_column_row",
        10,
        ANY,
        1,
    ),
    Goal("the same, single weights 10x", "spoken_digits", "unstructured", 10, ANY, 1),
    Goal(
        "the same, blocks, with 512 states instead of 256",
        "spoken_digits_wide",
        "block_column_row",
        10,
        ANY,
        1,
    ),
    Goal("questions, BERT, blocks 4x", "questions", "block_punched", 4, ANY, 1),
    Goal("the same 8x", "questions", "block_punched", 8, ANY, 1),
    Goal(
        "Fashion-MNIST, blocks 4x without data, then retrained",
        "fashion_mnist",
        "block_punched",
        4,
        ("layerwise",),
        1,
    ),
)

# What patterns and blocks are compared with.
FILTERS = tuple(
    Goal(
        f"Removing as many weights of {name} ({rate}x) in whole filters, by magnitude,",
        task,
        "filter",
        rate,
        ("magnitude",),
        100,
    )
    for name, task, rate in (("ResNet-20", "cifar10", 4), ("VGG-16", "half_vgg16", 8))
)


def document(rows: Sequence[Row]) -> str:
    """The page."""
    parts = [INTRODUCTION, _goals(rows)]
    for name, task in TASKS.items():
        mine = [row for row in rows if row["experiment"]["task"] == name]
        if mine:
            parts.append(_section(name, task, mine))
    return "\n".join(parts)


def _goals(rows: Sequence[Row]) -> str:
    lines = [
        "## What was wanted",
        "",
        "Of rows with as many seeds the best one counts.",
        "",
        "| network | points lost, at most | measured | method | seeds | |",
        "|---|---|---|---|---|---|",
    ]
    for goal in GOALS:
        group = goal.group(rows)
        lost = None if group is None else _lost(group, rows)
        if group is None or lost is None:
            cells = [goal.what, f"{goal.most:g}", "", "", "", "not measured yet"]
        else:
            verdict = "reached" if lost <= goal.most else "MISSED"
            how = _how(group[0]["experiment"])
            cells = [goal.what, f"{goal.most:g}", f"{lost:.2f}", how, str(len(group)), verdict]
        lines.append(f"| {' | '.join(cells)} |")
    for goal in FILTERS:
        filters = goal.group(rows)
        if filters is not None:
            lines += ["", f"{goal.what} loses {_lost(filters, rows):.2f} points."]
    return "\n".join([*lines, ""])


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
    """A line for each experiment; schemes, then rates, then methods."""
    for group in sorted(_groups(rows), key=lambda group: _order(group[0])):
        yield _line(group, rows)


def _groups(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows of the same experiment, but for the seed."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = tuple(value for key, value in row["experiment"].items() if key != "seed")
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def _lost(group: Sequence[Row], rows: Sequence[Row]) -> float | None:
    """Points that the dense network with the same budget has more, on average over seeds."""
    dense = [other["accuracy"] for row in group if (other := _dense(row, rows)) is not None]
    if len(dense) < len(group):
        return None
    # A test of 10,000 tells 0.01 points apart; sums of binary fractions are not exact.
    return round(100 * (mean(dense) - mean(row["accuracy"] for row in group)), 6)


def _order(row: Row) -> tuple[Any, ...]:
    experiment = row["experiment"]
    named = [experiment[key] for key in ("scheme", "rate", "epochs", "method", "learning_rate")]
    return (experiment["scheme"] != DENSE, *named)


def _line(group: Sequence[Row], rows: Sequence[Row]) -> str:
    experiment = group[0]["experiment"]
    accuracies = [row["accuracy"] for row in group]
    lost = _lost(group, rows)
    rates = mean(row["achieved_rate"] for row in group), mean(r["network_rate"] for r in group)
    differ = sum(row["compiled_differs"] for row in group)
    is_dense = experiment["scheme"] == DENSE
    cells = [
        experiment["scheme"],
        "" if is_dense else f"{rates[0]:.3g}x ({rates[1]:.3g}x)",
        "" if is_dense else _how(experiment),
        str(experiment["epochs"]),
        str(len(group)),
        "" if is_dense or lost is None else f"{mean(accuracies) + lost / 100:.2%}",
        f"{mean(accuracies):.2%}{_spread(accuracies)}",
        "" if is_dense or lost is None else f"{lost:.2f}",
        f"{mean(row['compiled_accuracy'] for row in group):.2%} ({differ})",
        "" if is_dense else _found(group),
    ]
    return f"| {' | '.join(cells)} |"


def _how(experiment: Mapping[str, Any]) -> str:
    """The method, what the rate is a budget of, if not of each layer, and the teacher's share."""
    told = [f"`{experiment['method']}`"]
    if experiment["budget"] != "layer":
        told.append(f"`{experiment['budget']}`")
    if experiment["distill"]:
        told.append(f"distilled {experiment['distill']:g}")
    return ", ".join(told)


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
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if len(ranked) == 1:
        return f"`{ranked[0][0]}`"
    return ", ".join(f"`{kind}` {count / total:.0%}" for kind, count in ranked)
