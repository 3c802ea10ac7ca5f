"""The folder that goes onto a device, with all it needs to run a network.

run.sh           runs, times, writes results/
settings.sh      which network, how often, on how many threads
plan.json        the same for whoever reads the results
module.vmfb      IREE's module, and the
weights.irpa     weights out of the bundle
input0.npy ...   inputs
bin/   lib/      IREE's programs, and the C library that they need
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from niwaki.errors import NiwakiError
from niwaki.temporary import claimed

from ..abi import check_release
from ..bundle import Bundle
from ..lane import SCOPE
from ..manifest import Manifest
from ..small_networks import useful_threads
from .plan import Plan
from .programs import Programs

RUNS = 3  # of which each must give the same outputs
SCRIPT = Path(__file__).with_name("run.sh")
PLAN = "plan.json"
_PROGRAM = 0o755


def export(
    bundle: Bundle, plan: Plan, programs: Programs, inputs: Sequence[np.ndarray], path: Path
) -> None:
    """Write the folder `path`, which appears whole or not at all.

    Raises:
        NiwakiError: something else is at `path`, or it cannot be written.
    """
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise NiwakiError(f"{path} is there and not empty: name a new folder")
        with claimed(path.parent, f".{path.name}.", ".tmp", Path.mkdir) as scratch:
            write_folder(bundle, plan, programs, inputs, scratch)
            scratch.rename(path)
    except OSError as error:
        raise NiwakiError(f"cannot write {path}: {error.strerror or error}") from None


def write_folder(
    bundle: Bundle, plan: Plan, programs: Programs, inputs: Sequence[np.ndarray], folder: Path
) -> None:
    """Write the files into `folder`, which is there and empty.

    Raises:
        NiwakiError: the bundle is of another release of IREE than the programs.
        OSError: a file cannot be written.
    """
    check_release(bundle.manifest, str(bundle.path))
    (folder / "module.vmfb").write_bytes(bundle.module)
    bundle.weights.copy_to(folder / "weights.irpa")
    for number, array in enumerate(inputs):
        np.save(folder / f"input{number}.npy", np.asarray(array, order="C"))
    for name, files in (("bin", programs.tools), ("lib", programs.libraries)):
        for file in files:
            (folder / name).mkdir(exist_ok=True)
            shutil.copyfile(file, folder / name / file.name)
            (folder / name / file.name).chmod(_PROGRAM)
    shutil.copyfile(SCRIPT, folder / SCRIPT.name)
    (folder / SCRIPT.name).chmod(_PROGRAM)
    (folder / "settings.sh").write_text(settings(bundle.manifest, plan), encoding="utf-8")
    (folder / PLAN).write_text(json.dumps(asdict(plan), indent=1), encoding="utf-8")


def settings(manifest: Manifest, plan: Plan) -> str:
    """What `run.sh` reads: shell variables."""
    signature, calls = manifest.signature, plan.warmup + plan.repetitions
    options = [
        "--module=module.vmfb",
        f"--parameters={SCOPE}=weights.irpa",
        f"--function={manifest.function}",
        *_device_options(manifest, plan.threads),
        *(f"--input=@input{number}.npy" for number in range(len(signature.inputs))),
    ]
    is_timed = manifest.driver == "local" and bool(manifest.dispatches)
    values = {
        "target": manifest.target,
        "features": " ".join(manifest.cpu_features),
        "options": " ".join(options),
        "output_numbers": " ".join(map(str, range(len(signature.outputs)))),
        "runs": " ".join(map(str, range(RUNS))),
        "calls": str(calls),
        # The time of a call ends where the next one begins, so one more is made.
        "profiled": str(calls + 1) if is_timed else "",
        "cores": plan.cores,
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def _device_options(manifest: Manifest, threads: int) -> list[str]:
    if manifest.driver != "local":
        return [f"--device={manifest.driver}"]
    threads = useful_threads(manifest, threads)
    if threads == 1:
        return ["--device=local-sync"]
    return ["--device=local-task", f"--task_topology_group_count={threads}"]
