"""``niwaki bench``: how long calls of a bundle take, or its layers."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ..errors import NiwakiError
from ..standard_streams import say, tell
from .options import (
    device_option,
    repetitions_option,
    threads_option,
    warmup_option,
)
from .selected import length_option, open_selected, target_option

if TYPE_CHECKING:
    from ..runtime.bundle import Bundle
    from ..runtime.layer_times import LayerTimes


@click.command("bench")
@click.argument("bundle")
@threads_option
@device_option
@warmup_option
@repetitions_option
@target_option
@length_option
@click.option("--layers", is_flag=True, help="Time each layer, with IREE's profiler; CPUs only.")
@click.option(
    "--emulate",
    metavar="CORE",
    help="Count the cycles of a call on a phone's core (a76), by a model and without a phone.",
)
@click.option(
    "--from-device",
    metavar="FILE.json",
    help="Show the times that `niwaki deploy` wrote, without a call.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; times in seconds.")
def bench_command(
    bundle: str,
    threads: int,
    device: str | None,
    warmup: int,
    repetitions: int,
    target: str | None,
    length: int | None,
    layers: bool,
    emulate: str | None,
    from_device: str | None,
    as_json: bool,
) -> None:
    """Time single calls of BUNDLE with random inputs."""
    if emulate is not None:
        if layers or threads > 1 or length is not None or from_device is not None:
            raise click.UsageError("--emulate counts all layers on one thread, without options")
        _count_cycles(open_selected(bundle, target, None), emulate, as_json)
        return
    opened = open_selected(bundle, target, length)
    if from_device is not None:
        _show_times(opened, from_device, layers, as_json)
        return
    if layers:
        _bench_layers(opened, threads, device, warmup, repetitions, as_json)
        return
    _bench_calls(opened, threads, device, warmup, repetitions, as_json)


def _bench_calls(
    bundle: Bundle,
    threads: int,
    device: str | None,
    warmup: int,
    repetitions: int,
    as_json: bool,
) -> None:
    from ..runtime.measure import bench

    networks = {length: bundle.at(length) for length in bundle.lengths} or {0: bundle}
    results = {
        length: bench(network.load(threads, device), warmup, repetitions)
        for length, network in networks.items()
    }
    if as_json:
        told = {length: asdict(result) for length, result in results.items()}
        say(json.dumps(told.get(0, told), indent=1))
        return
    for length, result in results.items():
        say(f"{f'length {length}: ' if length else ''}{result}")


def _bench_layers(
    bundle: Bundle,
    threads: int,
    device: str | None,
    warmup: int,
    repetitions: int,
    as_json: bool,
) -> None:
    from ..runtime.device import check_device
    from ..runtime.layer_times import time_layers
    from ..runtime.manifest import TOGETHER
    from ..runtime.parts import local_part

    if device == TOGETHER:
        bundle = bundle.for_target(TOGETHER)
    if bundle.stages:
        _bench_stages(bundle, threads, warmup, repetitions, as_json)
        return
    bundle = local_part(bundle)
    check_device(bundle.manifest, str(bundle.path), device)
    _say_layers(bundle, time_layers(bundle, threads, warmup, repetitions), as_json)


def _bench_stages(
    bundle: Bundle, threads: int, warmup: int, repetitions: int, as_json: bool
) -> None:
    """Each stage of a plan alone, one after another; GPUs tell no times, nor do copies."""
    from ..runtime.layer_times import time_layers
    from ..runtime.quantities import microseconds
    from ..runtime.times_table import times_text

    timed = [
        time_layers(stage, threads, warmup, repetitions)
        if stage.manifest.driver == "local" and stage.manifest.dispatches
        else None
        for stage in bundle.stages
    ]
    pairs = list(zip(bundle.manifest.plan.stages, timed, strict=True))
    if as_json:
        told = [
            {"target": stage.manifest.target, "times": None if times is None else asdict(times)}
            for stage, times in pairs
        ]
        say(json.dumps(told, indent=1))
        return
    for number, (stage, times) in enumerate(pairs, 1):
        planned = microseconds(1e-9 * (stage.end_ns - stage.begin_ns))
        head = f"stage {number} of {len(pairs)}, {stage.manifest.target}, planned {planned}"
        if number > 1:
            say("")
        say(f"{head}: {'not timed' if times is None else 'alone'}")
        if times is not None:
            say(times_text(stage.manifest, times))


def _say_layers(bundle: Bundle, times: LayerTimes, as_json: bool) -> None:
    from ..runtime.times_table import times_text

    say(json.dumps(asdict(times), indent=1) if as_json else times_text(bundle.manifest, times))


def _show_times(bundle: Bundle, file: str, layers: bool, as_json: bool) -> None:
    from ..runtime.deploy.times_file import read_times

    times, network = read_times(file, bundle)
    if not layers:
        say(
            json.dumps(asdict(times.calls), indent=1)
            if as_json
            else f"{times.model}: {times.calls}"
        )
        return
    if times.layers is None:
        raise NiwakiError(f"{file} has no times of layers: the device's runtime told none")
    _say_layers(network, times.layers, as_json)


def _count_cycles(bundle: Bundle, core: str, as_json: bool) -> None:
    from ..runtime.model_cycles.cores import core_named
    from ..runtime.model_cycles.measure import model_cycles
    from ..runtime.model_cycles.text import model_cycles_text
    from ..runtime.parts import arm64_part

    bundle = arm64_part(bundle)
    cycles = model_cycles(bundle, core_named(core), tell)
    if as_json:
        say(json.dumps(cycles.to_json(), indent=1))
        return
    say(model_cycles_text(bundle.manifest, cycles))
