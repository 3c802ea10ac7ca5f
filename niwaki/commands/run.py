"""``niwaki run``: one call of a bundle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from ..standard_streams import say
from .options import device_option, threads_option

if TYPE_CHECKING:
    import numpy as np


@click.command("run")
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
@threads_option
@device_option
def run_command(
    bundle: str, inputs: tuple[str, ...], outputs: tuple[str, ...], threads: int, device: str | None
) -> None:
    """Run BUNDLE once.

    Without --output, print a summary of what it gives.
    """
    from ..array_files import load_inputs, output_files
    from ..runtime.network import load
    from ..signature import flatten

    network = load(bundle, threads, device)
    save = output_files(outputs, network.signature.outputs)
    results, _ = flatten(network(*load_inputs(inputs, network.signature.inputs)))
    save(results)
    if not outputs:
        for whole, result in zip(network.signature.outputs, results, strict=True):
            spec = replace(whole, shape=result.shape)  # of several lengths, that of the inputs
            say(f"{spec}  {_summary(result)}")


def _summary(array: np.ndarray) -> str:
    """Range and mean of an output, for people."""
    import numpy as np

    if array.size == 0:
        return "empty"
    values = array.astype(np.float64)
    return f"minimum {values.min():.6g}, maximum {values.max():.6g}, mean {values.mean():.6g}"
