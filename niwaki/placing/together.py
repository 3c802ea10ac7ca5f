"""Compile a network for several devices at once: a module for each stage of the best plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from niwaki.compiled_parts import PartSettings
from niwaki.errors import NiwakiError
from niwaki.lengths.networks import Networks
from niwaki.lowered_bundle import compile_lowered
from niwaki.passes import Session
from niwaki.passes.pipeline import Step
from niwaki.progress import Progress
from niwaki.records import Remark
from niwaki.runtime.bundle import Compiled
from niwaki.runtime.manifest import TOGETHER, Manifest, Plan, Stage
from niwaki.runtime.plan import MOST_STAGES
from niwaki.runtime.quantities import microseconds
from niwaki.targets import get_target

from .by_hand import Place, fixed_units
from .joint_trimming import Source, Wired
from .lower_stages import lower_stages
from .planner import plan
from .runs import Run, runs
from .seconds import device_of, priced_units
from .stages import cut, main_function
from .timeline import Simulation
from .units import Parted, Read, part


class Within(Progress):
    """Tells of layers alone: how many stages a network will have is not known before."""

    def __init__(self, outer: Progress) -> None:
        self._outer = outer

    def layer(self, name: str) -> None:
        self._outer.layer(name)


def with_together(
    networks: Networks,
    alone: Sequence[Compiled],
    pipelines: Mapping[str, list[Step]],
    place: Place,
    settings: PartSettings,
) -> list[Compiled]:
    """What was compiled for each target, and behind it what was for all together.

    Where one of them computes everything, a remark of the first says why. Arguments and errors as
    `compile_together`.
    """
    found = compile_together(networks, alone, pipelines, place, settings)
    if isinstance(found, Compiled):
        return [*alone, found]
    first, *others = alone
    remarks = [*first.manifest.remarks, found]
    return [replace(first, manifest=replace(first.manifest, remarks=remarks)), *others]


def compile_together(
    networks: Networks,
    alone: Sequence[Compiled],
    pipelines: Mapping[str, list[Step]],
    place: Place,
    settings: PartSettings,
) -> Compiled | Remark:
    """The network on the devices of all targets, or why one of them computes all of it.

    Must be called in an MLIR context.

    Args:
        networks: one, which stays as it is.
        alone: what was compiled for each target, whose layers tell what they take.
        pipelines: passes by target, in the same order.
        place: which layers are where.
        settings: of all parts.

    Raises:
        NiwakiError: a pattern of `place` fits no layer, or there would be too many stages.
    """
    progress = settings.progress
    progress.stage("place layers")
    names = list(pipelines)
    targets = [get_target(name) for name in names]
    (imported,) = networks.imported.values()
    layers = {one.name for compiled in alone for one in compiled.manifest.layers if one.weights}
    parted = part(main_function(imported.module.operation), layers, targets)
    records = [(target, one.manifest.layers) for target, one in zip(targets, alone, strict=True)]
    given = [spec.nbytes for spec in imported.signature.inputs]
    units = priced_units(parted, records, given)
    devices = [device_of(target) for target in targets]
    places, timeline = plan(units, devices, fixed_units(units, names, place))
    simulation = Simulation(units, devices)
    times = {
        name: round(1e9 * simulation.run([device] * len(units)).seconds)
        for device, name in enumerate(names)
    }
    progress.stage("compile for several devices")
    if len(set(places)) < 2:
        told = ", ".join(f"{microseconds(1e-9 * ns)} on {name}" for name, ns in times.items())
        return Remark("network", "place", f"{names[places[0]]} computes all of it: {told}")
    found = runs(units, places, timeline)
    if len(found) > MOST_STAGES:
        raise NiwakiError(
            f"the network would go from device to device in {len(found)} stages, {MOST_STAGES} are "
            "the most: place neighbouring layers on one device"
        )
    stages = cut(imported, parted, [run.units for run in found])
    sources = _Sources(parted, found, [stage.outputs for stage in stages])
    wired = Wired(
        [stage.network.module.operation for stage in stages],
        [[sources.of(read) for read in stage.inputs] for stage in stages],
        [sources.of(read) for read in parted.outputs],
    )
    own = [(names[run.device], pipelines[names[run.device]]) for run in found]
    session = Session(choose=settings.choose, progress=Within(progress))
    folder = settings.dump_ir and settings.dump_ir / TOGETHER
    lowered, wired = lower_stages(wired, imported, own, session, folder)
    compiled = [
        compile_lowered(one, targets[run.device], progress=Within(progress))
        for run, one in zip(found, lowered, strict=True)
    ]
    told_stages = [
        Stage(
            one.manifest,
            list(map(list, inputs)),
            round(1e9 * run.begin),
            round(1e9 * run.end),
        )
        for run, inputs, one in zip(found, wired.inputs, compiled, strict=True)
    ]
    outputs = list(map(list, wired.outputs))
    made = Plan(told_stages, outputs, round(1e9 * timeline.seconds), times)
    return Compiled(_manifest(alone[0].manifest, made), b"", {}, compiled)


class _Sources:
    """Where stages' inputs come from."""

    def __init__(
        self, parted: Parted, found: Sequence[Run], outputs: Sequence[Sequence[Read]]
    ) -> None:
        self._parted, self._outputs = parted, outputs
        self._stage = {unit: number for number, run in enumerate(found) for unit in run.units}

    def of(self, read: Read) -> Source:
        """The stage, counted from 1, and its output; 0 and the number of an input."""
        if read.op < 0:
            return 0, read.result
        stage = self._stage[self._parted.unit[read.op]]
        return stage + 1, list(self._outputs[stage]).index(read)


def _manifest(first: Manifest, told: Plan) -> Manifest:
    """Of the whole: it needs what any of its stages does."""
    ones = [stage.manifest for stage in told.stages]

    def joined(field: str) -> Any:
        return list(dict.fromkeys(value for one in ones for value in getattr(one, field)))

    return replace(
        first,
        target=TOGETHER,
        driver=TOGETHER,
        architecture=next((one.architecture for one in ones if one.architecture), ()),
        cpu_features=tuple(joined("cpu_features")),
        device_features=tuple(joined("device_features")),
        layers=[layer for one in ones for layer in one.layers],
        dispatches=[run for one in ones for run in one.dispatches],
        remarks=joined("remarks"),
        plan=told,
    )
