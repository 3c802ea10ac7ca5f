"""What a run on a device has left in `results/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from niwaki.errors import NiwakiError
from niwaki.printable import printable

from ..bundle import MODULE, Bundle
from ..json_fields import decode
from ..layer_times import LayerTimes, times_of
from ..measure import summary
from ..profiler import read_events
from .folder import PLAN, RUNS
from .kernel_times import kernel_times
from .plan import Plan
from .times_file import DeviceTimes


@dataclass(frozen=True)
class Results:
    """Outputs of each run, times, and what may have changed them.

    Attributes:
        runs: for each run its outputs, in the signature's order.
        times: of calls and layers.
        throttled: cores that might not use their highest clock when the calls were done.
    """

    runs: list[list[np.ndarray]]
    times: DeviceTimes
    throttled: list[str]


def read_results(bundle: Bundle, folder: Path) -> Results:
    """Read the folder `results/` of a run of `bundle`.

    Raises:
        NiwakiError: it is not complete, damaged, or of another network.
    """
    try:
        return _read(bundle, folder)
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        raise NiwakiError(
            f"{folder} has no {missing}: the run was not finished; start run.sh again"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NiwakiError(f"{folder} cannot be read: {error}; start run.sh again") from None


def _read(bundle: Bundle, folder: Path) -> Results:
    plan = decode(Plan, json.loads((folder / PLAN).read_bytes()), str(folder / PLAN))
    if plan.module != bundle.manifest.digests[MODULE]:
        raise NiwakiError(
            f"{folder} holds results of another network than {bundle.path} for target "
            f"{bundle.manifest.target}: name the bundle and the target that it was exported with"
        )
    if plan.length != bundle.length:
        told = f"give --length {plan.length}" if plan.length else "give no --length"
        raise NiwakiError(f"{folder} holds results of another length of {bundle.path}: {told}")
    model = (folder / "model").read_text(encoding="utf-8", errors="replace")
    layers = _layers(bundle, folder, plan)
    times = DeviceTimes(
        module=plan.module,
        length=plan.length,
        target=bundle.manifest.target,
        model=printable(model.strip()),
        calls=summary(_calls(folder, plan), plan.warmup, plan.threads, bundle.manifest.driver),
        layers=layers,
        kernels=kernel_times(bundle.manifest, layers),
    )
    return Results(_runs(bundle, folder), times, _throttled(folder))


def _layers(bundle: Bundle, folder: Path, plan: Plan) -> LayerTimes | None:
    events, count = folder / "events", plan.warmup + plan.repetitions + 1
    if not events.is_file():
        return None
    return times_of(read_events(events), bundle, count, plan.warmup, plan.threads)


def _calls(folder: Path, plan: Plan) -> np.ndarray:
    """Seconds of each counted call: a repetition of one iteration, as the benchmark calls it."""
    told = json.loads((folder / "calls.json").read_bytes())["benchmarks"]
    units = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
    times = [
        float(one["real_time"]) * units[one["time_unit"]]
        for one in told
        if one["run_type"] == "iteration"
    ]
    if len(times) != plan.warmup + plan.repetitions:
        raise ValueError(f"it has times of {len(times)} calls")
    return np.array(times[plan.warmup :])


def _runs(bundle: Bundle, folder: Path) -> list[list[np.ndarray]]:
    runs = []
    for run in range(RUNS):
        outputs = []
        for number, spec in enumerate(bundle.manifest.signature.outputs):
            array = np.load(folder / f"run{run}.output{number}.npy", allow_pickle=False)
            if array.shape != spec.shape or array.itemsize != spec.kind.itemsize:
                raise ValueError(f"output {spec.name} is {array.dtype} of shape {array.shape}")
            # IREE writes booleans as bytes, and knows no signs.
            outputs.append(array.view(spec.kind))
        runs.append(outputs)
    return runs


def _throttled(folder: Path) -> list[str]:
    """Cores that may not use their highest clock; none where the system tells no clocks."""
    lines = (folder / "clocks").read_text(encoding="utf-8", errors="replace").splitlines()
    told = [words for line in lines if len(words := line.split()) >= 3]
    return [printable(core) for core, now, highest, *_ in told if int(now) < int(highest)]
