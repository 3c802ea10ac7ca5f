"""``niwaki cost``: what layers of a network would cost, pruned so or so."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..errors import NiwakiError
from ..extras import require
from ..standard_streams import prints_beside, say
from .progress_bar import progress_bar

RATES = "2,4,8,16"


@click.command("cost")
@click.argument("model")
@click.option("--target", default="host", show_default=True, help="`niwaki targets` lists them.")
@click.option(
    "--by",
    "source",
    type=click.Choice(["estimate", "measure", "emulate"]),
    help="The cost model alone; corrected by times on this machine (for host); or by modelled "
    "cycles of a phone's core (for arm64).  [default: measure for host, else estimate]",
)
@click.option(
    "--scheme",
    "schemes",
    metavar="SCHEME",
    multiple=True,
    help="E.g. pattern, or block_punched(filters=16); repeatable.  "
    "[default: unstructured, pattern, block_punched, filter]",
)
@click.option("--rates", default=RATES, show_default=True, help="All weights / kept weights.")
@click.option("--batch", type=int, help="Inputs at once; as many as the example inputs without it.")
@click.option(
    "--shape", "shapes", metavar="NAME=SIZES", multiple=True, help="As of niwaki compile."
)
@click.option("--precision", default="f32", show_default=True, help="f32 or f16.")
@click.option(
    "--times",
    metavar="BUNDLE=FILE.json",
    multiple=True,
    help="A bundle of the network, and what niwaki bench --layers --json printed of it on a "
    "device; repeatable.",
)
@click.option("--costs", metavar="FILE", help="Where answers are kept.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; times in seconds.")
def cost_command(
    model: str,
    target: str,
    source: str | None,
    schemes: tuple[str, ...],
    rates: str,
    batch: int | None,
    shapes: tuple[str, ...],
    precision: str,
    times: tuple[str, ...],
    costs: str | None,
    as_json: bool,
) -> None:
    """Price MODEL's layers in each scheme and rate.

    MODEL is what `niwaki compile` takes. Nothing is trained, and weights are random ones: only
    sizes matter.
    """
    require("compile")
    from ..frontend.input_choices import InputChoices
    from .input_options import parse_shapes

    numbers, brought = _rates(rates), _times(times)
    if brought and source:
        raise click.UsageError("--times are a source of costs themselves, without --by")
    with progress_bar() as progress, prints_beside():
        from ..costs.price import SCHEMES, priced
        from ..costs.tables import cost_json, cost_text

        names = schemes or SCHEMES
        with priced(
            model,
            target=target,
            source=source,
            schemes=names,
            precision=precision,
            choices=InputChoices(batch, parse_shapes(shapes)),
            times=brought,
            costs=None if costs is None else Path(costs),
            progress=progress,
        ) as oracle:
            progress.stage("price layers")
            by = (
                "times of a device"
                if brought
                else source or ("measure" if oracle.observations else "estimate")
            )
            if as_json:
                told = json.dumps(cost_json(oracle, by, names, numbers), indent=1)
            else:
                told = cost_text(oracle, by, names, numbers)
    say(told)


def _rates(text: str) -> list[float]:
    """Rates between commas."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(1 < rate < 10_000 for rate in found):
        raise NiwakiError(f"--rates {text}: give numbers above 1: --rates 2,4,8")
    return found


def _times(texts: tuple[str, ...]) -> dict[Path, Path]:
    """Files of times by bundles."""
    found = {}
    for text in texts:
        bundle, equals, file = text.rpartition("=")
        if not (bundle and equals and file):
            raise NiwakiError(
                f"--times {text}: give a bundle and a file: --times net.niwaki=t.json"
            )
        found[Path(bundle)] = Path(file)
    return found
