"""How long a layer takes alone, on this machine."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from niwaki.code_generation import generate_code
from niwaki.dialects import context
from niwaki.records import DispatchRecord
from niwaki.runtime.bundle import open_bundle, write_bundle
from niwaki.runtime.layer_times import time_layers
from niwaki.runtime.manifest import Manifest
from niwaki.signature import Signature, TensorSpec, flatten
from niwaki.targets import get_target
from niwaki.temporary import temporary_folder

from .single_layer import Job

WARMUP = 10
REPETITIONS = 40
ROUNDS = 2


def measure(job: Job) -> float:
    """Seconds that the layer's kernel takes: of a few rounds the one that nothing disturbed.

    IREE's tools compile and run it, each in a process of its own, so that no kernel can harm the
    one that asks.

    Raises:
        CompilerBug: IREE refuses the kernel.
        NiwakiError: a tool of IREE is not there, or failed.
    """
    with temporary_folder() as folder:
        path = folder / "layer.niwaki"
        build(job, path)
        bundle = open_bundle(path)
        rounds = [time_layers(bundle, 1, WARMUP, REPETITIONS).runs for _ in range(ROUNDS)]
    return min(run.seconds for runs in rounds for run in runs if run.kernel == job.kernel)


def build(job: Job, path: Path) -> None:
    """Write the bundle of a layer."""
    machine = get_target("host")
    with context():
        vmfb, order, _ = generate_code(job.text, machine)
    inputs = tuple(TensorSpec(f"x{i}", shape, "float32") for i, shape in enumerate(job.inputs))
    result = TensorSpec("y", job.result, "float32")
    manifest = Manifest(
        niwaki=version("niwaki"),
        iree=version("iree-base-compiler"),
        target="host",
        driver=machine.device,
        signature=Signature(inputs, (result,), flatten((inputs, {}))[1], 0),
        dispatches=[DispatchRecord(run.layer, run.kernel, "") for run in order["main"]],
    )
    write_bundle(path, manifest, vmfb, job.parameters)
