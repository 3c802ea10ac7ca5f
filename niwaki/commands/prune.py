"""``niwaki prune``: most weights of a network become zero."""

from __future__ import annotations

import click

from ..printable import printable
from ..standard_streams import say
from ..text_table import Column, text_table

NUMBERS = ("kept", "of", "rate")


@click.command("prune")
@click.argument("model")
@click.option("-o", "--output", required=True, metavar="FILE", help="What to write.")
@click.option(
    "--scheme", help="E.g. pattern, or block_punched(filters=8).  [default: block_punched]"
)
@click.option("--rate", type=float, help="Weights / kept weights of each layer.  [default: 8]")
@click.option(
    "--method",
    help="E.g. magnitude, or admm(rho=1e-3).  [default: admm; magnitude with --no-data]",
)
@click.option("--epochs", type=click.IntRange(min=0), help="Of pruning and retraining together.")
@click.option("--config", metavar="FILE.yaml", help="Layers, and schemes and rates of single ones.")
@click.option(
    "--budget",
    type=click.Choice(["layer", "weights", "flops", "latency"]),
    help="What falls by the rate: each layer's weights, or this of all layers together.",
)
@click.option(
    "--times", metavar="FILE.json", help="For --budget latency: niwaki bench --layers --json."
)
@click.option(
    "--target-ms",
    type=float,
    metavar="MS",
    help="Choose scheme and rate of each layer so that a call takes at most so long.",
)
@click.option("--target", help="Whose time --target-ms is.  [default: host]")
@click.option(
    "--by",
    "source",
    type=click.Choice(["estimate", "measure", "emulate"]),
    help="Who tells it, as of niwaki cost.",
)
@click.option(
    "--mapping",
    type=click.Choice(["search", "rules"]),
    help="For --target-ms: any scheme for any layer, or one for each kind.  [default: search]",
)
@click.option(
    "--distill",
    type=float,
    metavar="WEIGHT",
    help="Retrain with the dense network as teacher: its share of the loss, e.g. 0.5.",
)
@click.option("--temperature", type=float, help="Of --distill.  [default: 4]")
@click.option(
    "--checkpoint", metavar="FILE", help="Written after each epoch; goes on from it if it exists."
)
@click.option(
    "--no-data", is_flag=True, help="Prune without training, by --method magnitude or layerwise."
)
def prune_command(
    model: str,
    output: str,
    scheme: str | None,
    rate: float | None,
    method: str | None,
    epochs: int | None,
    config: str | None,
    budget: str | None,
    times: str | None,
    target_ms: float | None,
    target: str | None,
    source: str | None,
    mapping: str | None,
    distill: float | None,
    temperature: float | None,
    checkpoint: str | None,
    no_data: bool,
) -> None:
    """Prune MODEL, with training or without.

    MODEL is FILE.py:FUNCTION; or an .onnx file, which is pruned only with --no-data. The function
    returns a dict with the arguments of niwaki.prune: model, train_loader, perhaps loss, eval,
    epochs. With --no-data it may be the one that `niwaki compile` takes. What is written is a
    .safetensors file with the module's weights, or an .onnx file.
    """
    from ..prune_command import prune_configuration, prune_distillation, prune_file

    limit = {"target_ms": target_ms, "target": target, "source": source, "mapping": mapping}
    limit = {name: value for name, value in limit.items() if value is not None}
    if limit and target_ms is None:
        raise click.UsageError("--target, --by and --mapping are those of --target-ms")
    layers, told = prune_file(
        model,
        output,
        no_data,
        limit or None,
        scheme=scheme,
        rate=rate,
        method=method,
        epochs=epochs,
        config=prune_configuration(config, budget=budget, times=times),
        distillation=prune_distillation(distill, temperature),
        checkpoint=checkpoint,
    )
    columns = (Column("layer"), Column("scheme"), *(Column(name, True) for name in NUMBERS))
    rows = [
        (layer.name, layer.scheme, f"{layer.kept:,}", f"{layer.total:,}", f"{layer.rate:.2f}x")
        for layer in layers
    ]
    for line in text_table(columns, rows):
        say(line)
    say(printable(f"wrote {output}{': ' if told else ''}{told}"))
