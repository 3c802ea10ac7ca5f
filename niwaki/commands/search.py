"""``niwaki search``: the best networks of a space, within limits."""

from __future__ import annotations

import json

import click

from ..printable import printable
from ..standard_streams import prints_beside, say
from ..text_table import Column, text_table
from .progress_bar import progress_bar


@click.command("search")
@click.argument("study", metavar="FILE.py[:FUNCTION]")
@click.option("--target-ms", type=float, help="Given to the function, as target_ms.")
@click.option(
    "--trials", type=click.IntRange(min=1), help="All together.  [default: FUNCTION's, or 100]"
)
@click.option("--sampler", help="tpe (default), evolution, random, controller, gp or cmaes.")
@click.option("--storage", metavar="FILE", help="Keeps trials; goes on from them if it exists.")
@click.option("--workers", help="So many, auto, or ray://HOST:PORT.  [default: 1]")
@click.option("--seed", type=click.IntRange(min=0), help="Of the sampler.  [default: 0]")
@click.option("-o", "--output", metavar="FILE.html", help="A page about what was found.")
@click.option("--json", "as_json", is_flag=True, help="Print all of the front as JSON.")
def search_command(
    study: str,
    target_ms: float | None,
    trials: int | None,
    sampler: str | None,
    storage: str | None,
    workers: str | None,
    seed: int | None,
    output: str | None,
    as_json: bool,
) -> None:
    """Search the space that a function describes.

    The function, setup without a name, returns a dict with the arguments of niwaki.search: space,
    train, evaluate, perhaps limits, describe, trials. With --target-ms it gets that as target_ms.
    """
    from ..search_command import search_file
    from ..studies.space import short, spelled

    with progress_bar() as progress, prints_beside():
        results = search_file(
            study,
            target_ms,
            trials=trials,
            sampler=sampler,
            storage=storage,
            workers=workers,
            seed=seed,
            page=output,
            progress=progress,
        )
    best = results.best
    if as_json:
        say(json.dumps(results.as_dict(), indent=2))
        return
    names = map(printable, ["trial", *best.scores, *best.costs])
    columns = (*(Column(name, True) for name in names), Column("point"))
    rows = [
        [
            f"{'*' if trial is best else ''}{trial.number}",
            *map(short, [*trial.scores.values(), *trial.costs.values()]),
            spelled(trial.point),
        ]
        for trial in results.front
    ]
    for line in text_table(columns, rows):
        say(line)
    counts = f"{len(results.trials)} trials, {len(results.failed)} failed"
    say(f"\n{counts}, {results.rejected} points above a limit were not trained")
    if results.failed:
        say(
            printable(
                f"the first failure, trial {results.failed[0].number}: {results.failed[0].reason}"
            )
        )
    say(printable(f"best: trial {best.number}, {spelled(best.point)}"))
    if output:
        say(printable(f"wrote {output}"))
