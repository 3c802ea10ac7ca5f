"""Train, prune, compile, and test networks; results go to benchmarks/training/results.json.

    python benchmarks/accuracy.py plan --data FOLDER        all experiments that have no row yet
    python benchmarks/accuracy.py run fashion_mnist --scheme pattern --rate 8 --data FOLDER

Rows that exist are left out, and a run that was killed goes on after its last epoch: `plan` may be
called again and again, also by several processes at once. docs/accuracy.md is made of the rows by
`python benchmarks/accuracy.py document`.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click
import torch
from training import document as page
from training.experiment import Experiment, Place, run
from training.plan import PLAN
from training.results import add_row, find_row, read_rows, try_lock
from training.ship import ship
from training.tasks import TASKS

from niwaki.errors import NiwakiError

WORK = Path("build", "accuracy")

data_option = click.option(
    "--data", type=click.Path(path_type=Path), help="Folder of data sets.  [default: NIWAKI_DATA]"
)
threads_option = click.option(
    "--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Of PyTorch."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
def main() -> None:
    """Accuracy of pruned networks."""


@main.command()
@click.option("--only", default="", metavar="TEXT", help="Only what has TEXT in its command.")
@data_option
@threads_option
def plan(only: str, data: Path | None, threads: int) -> None:
    """Run all experiments of training/plan.py that have no row."""
    for experiment in PLAN:
        if only in experiment.command:
            run_once(experiment, data, threads)


@main.command(name="run")
@click.argument("task")
@click.option("--scheme", default="pattern")
@click.option("--rate", type=float, default=8.0)
@click.option("--method", default="admm")
@click.option("--epochs", type=click.IntRange(min=0), default=4)
@click.option("--seed", type=click.IntRange(min=0), default=0)
@click.option("--learning-rate", type=float, help="[default: the task's]", show_default=False)
@click.option("--budget", type=click.Choice(("layer", "weights", "flops")), default="layer")
@click.option(
    "--distill", type=click.FloatRange(0, 1), default=0.0, help="Share of a dense teacher."
)
@data_option
@threads_option
def run_command(
    task: str,
    scheme: str,
    rate: float,
    method: str,
    epochs: int,
    seed: int,
    learning_rate: float | None,
    budget: str,
    distill: float,
    data: Path | None,
    threads: int,
) -> None:
    """Run one experiment of TASK, as fashion_mnist or cifar10."""
    if task not in TASKS:
        raise NiwakiError(f"unknown task '{task}': choose one of {', '.join(TASKS)}")
    learning = TASKS[task].pruning_rate if learning_rate is None else learning_rate
    experiment = Experiment(task, scheme, rate, method, epochs, seed, learning, budget, distill)
    run_once(experiment, data, threads)


@main.command()
@click.option("--check", is_flag=True, help="Only compare; exit code 1 if it differs.")
def document(check: bool) -> None:
    """Write docs/accuracy.md anew."""
    text = page.document(read_rows())
    if not check:
        page.OUTPUT.write_text(text, encoding="utf-8")
    elif not page.OUTPUT.exists() or page.OUTPUT.read_text(encoding="utf-8") != text:
        raise NiwakiError(
            "docs/accuracy.md is not what the results say: run `python benchmarks/accuracy.py "
            "document` and commit it"
        )


@main.command(name="ship")
@data_option
def ship_command(data: Path | None) -> None:
    """Write the checkpoints in examples/data."""
    for path in ship(Place(data, WORK)):
        print(f"wrote {path} ({path.stat().st_size / 1e3:.0f} kB)")


def run_once(experiment: Experiment, data: Path | None, threads: int) -> None:
    """Run it unless it has a row or another process runs it."""
    torch.set_num_threads(threads)
    WORK.mkdir(parents=True, exist_ok=True)
    with try_lock(WORK / f"{experiment.name}.lock") as free:
        if not free or find_row(asdict(experiment), read_rows()):
            return
        print(experiment.command, flush=True)
        row = run(experiment, Place(data, WORK))
        add_row(row)
    print(
        f"accuracy {row['accuracy']:.2%}, compiled {row['compiled_accuracy']:.2%}, dense before "
        f"pruning {row['accuracy_before']:.2%}, rate {row['achieved_rate']:g}",
        flush=True,
    )


if __name__ == "__main__":
    try:
        main()
    except NiwakiError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
