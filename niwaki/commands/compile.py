"""``niwaki compile``: a network becomes a bundle."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ..extras import require
from ..printable import printable
from ..standard_streams import say
from .progress_bar import progress_bar


@click.command("compile")
@click.argument("model")
@click.option(
    "-o", "--output", help="The bundle to write; without it MODEL.niwaki in the current folder."
)
@click.option(
    "--target",
    default="host",
    show_default=True,
    help="`niwaki targets` lists them; A+B for one bundle with code for both.",
)
@click.option("--batch", type=int, help="Inputs at once; as many as the example inputs without it.")
@click.option(
    "--shape",
    "shapes",
    metavar="NAME=SIZES",
    multiple=True,
    help="Sizes of an input that the file leaves open, as in image=1x3x320x320; repeatable.",
)
@click.option(
    "--constant",
    "constants",
    metavar="NAME=VALUE",
    multiple=True,
    help="Make an input of an .onnx file a constant, as in rate=16000; repeatable.",
)
@click.option(
    "--state",
    "states",
    metavar="INPUT=OUTPUT",
    multiple=True,
    help="An input that gets what this output gave in the call before; repeatable.",
)
@click.option(
    "--lengths",
    metavar="N,N,...",
    help="Compile for several lengths, as 32,64,128; calls have any up to the largest.",
)
@click.option(
    "--weights",
    metavar="FILE",
    help="Weights of FILE.py:FUNCTION's module: .safetensors, .pth, .npz, dense or sparse.",
)
@click.option(
    "--precision",
    default="f32",
    show_default=True,
    help="Type of weights and activations: f32, or f16 in half the memory.",
)
@click.option(
    "--tolerance",
    type=float,
    metavar="SHARE",
    help="With --precision f16: keep layers f32 until outputs are off by at most this share of "
    "their largest value, as 0.01.",
)
@click.option(
    "--calibrate",
    metavar="FILE.npz",
    help="Inputs to measure --tolerance on, by their names; the example inputs without it.",
)
@click.option(
    "--golden/--no-golden",
    default=None,
    help="Keep what the model gives for its example inputs, by which a device is checked; by "
    "default for GPUs and several targets.",
)
@click.option(
    "--place",
    metavar="PATTERN=TARGET",
    multiple=True,
    help="With targets A+B: layers whose names fit PATTERN are for this one, and all run together; "
    "auto as TARGET, or alone, for the fastest place; repeatable.",
)
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
@click.option(
    "--tune-from",
    metavar="FILE.json",
    multiple=True,
    help="Choose kernels by times that niwaki deploy wrote; repeat it for more.",
)
def compile_command(
    model: str,
    output: str | None,
    target: str,
    batch: int | None,
    shapes: tuple[str, ...],
    constants: tuple[str, ...],
    states: tuple[str, ...],
    lengths: str | None,
    weights: str | None,
    precision: str,
    tolerance: float | None,
    calibrate: str | None,
    golden: bool | None,
    place: tuple[str, ...],
    dump_ir: str | None,
    trim_threshold: float,
    without: tuple[str, ...],
    tune: bool,
    tune_db: str | None,
    tune_trials: int | None,
    tune_workers: str | None,
    tune_from: tuple[str, ...],
) -> None:
    """Compile MODEL into a bundle.

    MODEL is FILE.py:FUNCTION, an .onnx, a .pt2, or an .mlir file (linalg on tensors). The function
    returns a torch.nn.Module and its example inputs.
    """
    require("compile")
    from ..runtime.quantities import size_text
    from ..tuning.settings import TRIALS, Tuning
    from .input_options import (
        parse_constants,
        parse_lengths,
        parse_places,
        parse_shapes,
        parse_states,
    )

    tuning = Tuning(Path(tune_db) if tune_db else None, tune_trials or TRIALS, tune_workers)
    if tuning != Tuning() and not tune:
        raise click.UsageError("--tune-db, --tune-trials and --tune-workers need --tune")
    if tune_from and tune:
        raise click.UsageError("--tune measures here, --tune-from measures nothing: give one")
    if tune_from:
        tuning = Tuning(device_times=tuple(map(Path, tune_from)))
    begin = time.monotonic()
    with progress_bar() as progress:
        from ..compiler import compile as compile_network

        bundle = compile_network(
            model,
            target=target,
            output=default_output(model) if output is None else output,
            batch=batch,
            shapes=parse_shapes(shapes),
            constants=parse_constants(constants),
            states=parse_states(states),
            lengths=None if lengths is None else parse_lengths(lengths),
            weights=weights,
            precision=precision,
            tolerance=tolerance,
            calibrate=calibrate,
            golden=golden,
            place=parse_places(place),
            dump_ir=dump_ir,
            trim_threshold=trim_threshold,
            without=without,
            tune=(tune or bool(tune_from)) and tuning,
            progress=progress,
        )
    say(bundle.report())
    size, seconds = size_text(bundle.path.stat().st_size), time.monotonic() - begin
    say(printable(f"wrote {bundle.path}: {size}, compiled in {seconds:.1f} s"))


def default_output(model: str) -> str:
    """``nets/resnet.py:make`` and ``resnet.onnx`` become ``resnet.niwaki``, in this folder."""
    file, colon, _ = model.rpartition(":")
    return f"{Path(file if colon and file.endswith('.py') else model).stem}.niwaki"
