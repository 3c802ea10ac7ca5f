"""The command line: ``niwaki compile | run | bench | inspect | report | prune | targets``.

A user's mistake prints one line and exits with 1, wrong usage with 2, a bug of the compiler with 3.
Parts are imported by the command that needs them, so that running a bundle needs no compiler and
``--help`` is quick.
"""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .errors import CompilerBug, NiwakiError

if TYPE_CHECKING:
    import numpy as np

    from .runtime.manifest import Manifest


class _Commands(click.Group):
    """A group that tells a user's mistake, or a bug of the compiler, in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except NiwakiError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(1)
        except CompilerBug as bug:
            click.echo(f"internal error: {bug}", err=True)
            ctx.exit(3)


_threads = click.option(
    "--threads", type=click.IntRange(min=1), default=1, show_default=True, help="CPU threads."
)
_device = click.option(
    "--device", type=click.Choice(["local", "vulkan"]), help="Default: the bundle's."
)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="niwaki")
def main() -> None:
    """Compile pruned neural networks, and run what was compiled."""


@main.command("compile")
@click.argument("model")
@click.option("-o", "--output", required=True, help="The bundle to write.")
@click.option("--target", default="host", show_default=True, help="`niwaki targets` lists them.")
@click.option("--batch", type=int, help="Inputs at once; as many as the example inputs without it.")
@click.option("--dump-ir", metavar="DIR", help="Write the IR after each pass into this folder.")
@click.option(
    "--trim-threshold",
    type=click.FloatRange(min=0),
    default=0.0,
    help="Weights of at most this magnitude become zero; changes results.",
)
@click.option(
    "--without",
    metavar="PASS",
    multiple=True,
    help="Leave an optional pass out, to see what it gains; repeat it for more.",
)
@click.option("--tune", is_flag=True, help="Choose kernels by measuring them on this machine.")
@click.option("--tune-db", metavar="FILE", help="Where measured times are kept.")
@click.option(
    "--tune-trials",
    type=click.IntRange(min=1),
    metavar="N",
    help="Kernels to measure of a layer, at most.",
)
@click.option("--tune-workers", metavar="ADDRESS", help="A Ray cluster that measures instead.")
def compile_command(
    model: str,
    output: str,
    target: str,
    batch: int | None,
    dump_ir: str | None,
    trim_threshold: float,
    without: tuple[str, ...],
    tune: bool,
    tune_db: str | None,
    tune_trials: int | None,
    tune_workers: str | None,
) -> None:
    """Compile MODEL: FILE.py:FUNCTION, an .onnx, a .pt2, or an .mlir file (linalg on tensors)."""
    from rich.console import Console

    from .tuning.settings import TRIALS, Tuning

    tuning = Tuning(Path(tune_db) if tune_db else None, tune_trials or TRIALS, tune_workers)
    if tuning != Tuning() and not tune:
        raise click.UsageError("--tune-db, --tune-trials and --tune-workers need --tune")
    status = Console(stderr=True).status(f"compiling {model} for {target}")
    with nullcontext() if tune else status:  # tuning shows its own progress
        from .compiler import compile as compile_network

        bundle = compile_network(
            model,
            target=target,
            output=output,
            batch=batch,
            dump_ir=dump_ir,
            trim_threshold=trim_threshold,
            without=without,
            tune=tune and tuning,
        )
    _print_report(bundle.manifest)
    click.echo(f"wrote {bundle.path}")


@main.command("run")
@click.argument("bundle")
@click.option(
    "--input", "inputs", metavar="FILE.npy", multiple=True, help="Repeat it, in the inputs' order."
)
@click.option(
    "--output",
    "outputs",
    metavar="FILE",
    multiple=True,
    help="One .npy for each output, or one .npz for all.",
)
@_threads
@_device
def run_command(
    bundle: str, inputs: tuple[str, ...], outputs: tuple[str, ...], threads: int, device: str | None
) -> None:
    """Run BUNDLE once; without --output, print a summary of what it gives."""
    from .array_files import load_inputs, output_files
    from .runtime.network import load
    from .signature import flatten

    network = load(bundle, threads, device)
    save = output_files(outputs, network.signature.outputs)
    results, _ = flatten(network(*load_inputs(inputs, network.signature.inputs)))
    save(results)
    if not outputs:
        for spec, result in zip(network.signature.outputs, results, strict=True):
            click.echo(f"{spec}  {_summary(result)}")


@main.command("bench")
@click.argument("bundle")
@_threads
@_device
@click.option(
    "--warmup", type=click.IntRange(min=0), default=10, show_default=True, help="Calls not counted."
)
@click.option(
    "--repetitions",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Calls counted.",
)
@click.option("--layers", is_flag=True, help="Time each layer, with IREE's profiler; CPUs only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; times in seconds.")
def bench_command(
    bundle: str,
    threads: int,
    device: str | None,
    warmup: int,
    repetitions: int,
    layers: bool,
    as_json: bool,
) -> None:
    """Time single calls of BUNDLE with random inputs."""
    if layers:
        _bench_layers(bundle, threads, device, warmup, repetitions, as_json)
        return
    from .runtime.measure import bench
    from .runtime.network import load

    result = bench(load(bundle, threads, device), warmup, repetitions)
    if as_json:
        click.echo(json.dumps(asdict(result), indent=1))
        return
    where = (
        f"{threads} thread{'s' if threads > 1 else ''}"
        if result.device == "local"
        else result.device
    )
    click.echo(
        f"median {1e3 * result.median:.3f} ms, p90 {1e3 * result.p90:.3f} ms, "
        f"minimum {1e3 * result.minimum:.3f} ms ({repetitions} calls after {warmup}, {where})"
    )


def _bench_layers(
    path: str, threads: int, device: str | None, warmup: int, repetitions: int, as_json: bool
) -> None:
    from rich.console import Console

    from .runtime.bundle import open_bundle
    from .runtime.device import check_device
    from .runtime.layer_times import time_layers
    from .runtime.times_table import times_table, times_text

    bundle = open_bundle(path)
    check_device(bundle.manifest, path, device)
    times = time_layers(bundle, threads, warmup, repetitions)
    if as_json:
        click.echo(json.dumps(asdict(times), indent=1))
        return
    console = Console()
    if console.is_terminal:
        console.print(times_table(bundle.manifest, times))
    else:
        click.echo(times_text(bundle.manifest, times))


@main.command("report")
@click.argument("bundle")
@click.option("-o", "--output", required=True, metavar="FILE.html", help="The page to write.")
@_threads
def report_command(bundle: str, output: str, threads: int) -> None:
    """Write a page about BUNDLE: its layers, what is kept, and times where it runs on this CPU."""
    from rich.console import Console

    from .runtime.bundle import open_bundle
    from .runtime.report_page import write_report

    opened = open_bundle(bundle)
    with Console(stderr=True).status(f"measuring {bundle}"):
        write_report(opened, output, threads)
    click.echo(f"wrote {output}")


@main.command("inspect")
@click.argument("bundle")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest and totals as JSON.")
def inspect_command(bundle: str, as_json: bool) -> None:
    """Show what BUNDLE holds: signature, target, layers, sizes, remarks."""
    from .runtime.bundle import open_bundle
    from .runtime.report import report_json, size_text

    opened = open_bundle(bundle)
    manifest = opened.manifest
    sizes = {"module_bytes": len(opened.module), "weights_bytes": len(opened.weights)}
    if as_json:
        click.echo(json.dumps({**report_json(manifest), **sizes}, indent=1))
        return
    needs = " ".join((*manifest.architecture[:1], *manifest.cpu_features))
    target = f"{manifest.target} ({needs})" if needs else manifest.target
    click.echo(f"{bundle}: compiled by Niwaki {manifest.niwaki} for {target}")
    click.echo(f"code {size_text(len(opened.module))}, weights {size_text(len(opened.weights))}")
    for heading, specs in (
        ("input ", manifest.signature.inputs),
        ("output", manifest.signature.outputs),
    ):
        for spec in specs:
            click.echo(f"{heading} {spec}")
    click.echo()
    _print_report(manifest)


@main.command("prune")
@click.argument("model")
@click.option("-o", "--output", required=True, metavar="FILE", help="What to write.")
@click.option("--scheme", help="E.g. pattern, or block_punched(filters=8).")
@click.option("--rate", type=float, help="Weights / kept weights of each layer.")
@click.option("--method", help="E.g. magnitude, or admm(rho=1e-3).")
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
    distill: float | None,
    temperature: float | None,
    checkpoint: str | None,
    no_data: bool,
) -> None:
    """Prune MODEL, FILE.py:FUNCTION, and train it; or an .onnx file, without training.

    The function returns a dict with the arguments of niwaki.prune: model, train_loader, perhaps
    loss, eval, epochs. With --no-data it may be the one that `niwaki compile` takes. FILE becomes
    a .safetensors file with its weights, or an .onnx file.
    """
    from .prune_command import prune_configuration, prune_distillation, prune_file

    layers = prune_file(
        model,
        output,
        no_data,
        scheme=scheme,
        rate=rate,
        method=method,
        epochs=epochs,
        config=prune_configuration(config, budget=budget, times=times),
        distillation=prune_distillation(distill, temperature),
        checkpoint=checkpoint,
    )
    width = max([len("layer"), *(len(layer.name) for layer in layers)])
    for layer in layers:
        click.echo(
            f"{layer.name:<{width}}  {layer.kept:,} of {layer.total:,} weights kept "
            f"({layer.rate:.2f}x), {layer.scheme}"
        )
    click.echo(f"wrote {output}")


@main.command("targets")
def targets_command() -> None:
    """List the targets of `niwaki compile --target`."""
    from .targets import TARGETS, get_target

    try:
        rows = {"host": get_target("host").summary}
    except NiwakiError:
        rows = {}  # a machine that no CPU target fits can still compile for others
    rows.update({name: target.summary for name, target in TARGETS.items()})
    width = max(map(len, rows))
    for name, summary in rows.items():
        click.echo(f"{name:<{width}}  {summary}")


def _print_report(manifest: Manifest) -> None:
    """The report, as wide as the terminal."""
    from rich.console import Console

    from .runtime.report import layer_table, notes, report_text

    console = Console()
    if not console.is_terminal:
        click.echo(report_text(manifest))
        return
    console.print(layer_table(manifest))
    for line in notes(manifest):
        click.echo(line)


def _summary(array: np.ndarray) -> str:
    """Range and mean of an output, for people."""
    import numpy as np

    if array.size == 0:
        return "empty"
    values = array.astype(np.float64)
    return f"minimum {values.min():.6g}, maximum {values.max():.6g}, mean {values.mean():.6g}"
