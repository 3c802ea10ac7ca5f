"""From a network to a bundle: import, run the passes, let IREE generate code, write the file."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from niwaki.extras import require

require("compile")

from niwaki.atomic import check_writable
from niwaki.collection import rare_collection
from niwaki.compile_arguments import check_arguments
from niwaki.compiled_parts import PartSettings, compile_parts
from niwaki.dialects import context, int_array
from niwaki.elements import get_element
from niwaki.errors import NiwakiError
from niwaki.frontend.input_choices import InputChoices
from niwaki.golden_run import golden_run, wants_golden
from niwaki.lengths.networks import import_networks
from niwaki.passes.base import STATES
from niwaki.passes.choice import Chooser
from niwaki.passes.pipelines import compile_pipeline, leave_out
from niwaki.placing.by_hand import check_patterns, check_place
from niwaki.placing.stages import main_function
from niwaki.placing.together import with_together
from niwaki.progress import Progress
from niwaki.runtime.bundle import Bundle, may_replace, open_bundle, write_bundle
from niwaki.sources import load_source
from niwaki.states import find_states
from niwaki.targets import get_target, split_targets
from niwaki.tuning.settings import Tuning

PathLike = str | os.PathLike[str]


def compile(
    model: Any,
    example_inputs: Any = None,
    *,
    target: str = "host",
    output: PathLike,
    example_kwargs: Mapping[str, Any] | None = None,
    batch: int | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
    constants: Mapping[str, Any] | None = None,
    dump_ir: PathLike | None = None,
    precision: str = "f32",
    tolerance: float | None = None,
    calibrate: Mapping[str, Any] | PathLike | None = None,
    trim_threshold: float = 0.0,
    without: Collection[str] = (),
    pipeline: str | None = None,
    tune: bool | Tuning = False,
    progress: Progress | None = None,
    weights: Mapping[str, Any] | PathLike | None = None,
    states: Mapping[str, str] | None = None,
    lengths: Sequence[int] | None = None,
    golden: bool | None = None,
    place: Mapping[str, str] | str | None = None,
) -> Bundle:
    """Compile a network into a bundle.

    Args:
        model: a ``torch.nn.Module`` in eval mode, an ``ExportedProgram``, or a MODEL as the command
            line takes it: ``file.py:function``, a ``.pt2`` file, an ``.onnx`` file, or an ``.mlir``
            file in linalg on tensors.
        example_inputs: for a module: a tensor or the tuple of positional arguments; their shapes
            and dtypes become the compiled network's.
        target: one of `niwaki.targets.NAMES`, or several with ``+`` between them: then the bundle
            has code and weights for each, and runs on whatever machine fits one.
        output: the bundle to write; it appears whole or not at all.
        example_kwargs: for a module: keyword arguments.
        batch: for a module: compile for this many inputs at once instead of the examples' number;
            for an ``.onnx`` file or exported program: the size of an open first dimension, 1
            without it.
        shapes: for an ``.onnx`` file or exported program: sizes of inputs by their names, where
            some are open.
        constants: for an ``.onnx`` file: values of inputs by their names. They are no inputs of the
            compiled network, and conditions that depend on them are decided.
        dump_ir: folder for the IR after each pass.
        precision: type of weights and activations, of `niwaki.elements.ELEMENTS`. Where the target
            has arithmetic for it, it is also that of sums.
        tolerance: with precision ``f16``: how far outputs may be from those in f32, as a share of
            the largest magnitude that an output has there. Layers stay f32 until that is true of
            the examples, run on this machine with the kernels of the target; remarks say which.
        calibrate: examples for `tolerance`: an ``.npz`` file or arrays by the inputs' names,
            examples one behind another along the first dimension. A module's own example inputs
            without it.
        trim_threshold: weights of at most this magnitude become zero, so that filters and channels
            of tiny weights are removed. Above 0 results are no longer those of the model.
        without: passes to leave out, of `niwaki.passes.pipelines.OPTIONAL`: to see what one gains.
        pipeline: the passes to run, as ``niwaki-opt --pass-pipeline`` takes them, instead of the
            target's own, which `niwaki.passes.pipelines.compile_pipeline` gives. `trim_threshold`
            has no effect then: it is an option of a pass.
        tune: choose kernels by measuring them on this machine; `niwaki.Tuning` says how. Times are
            kept, so that a second run measures nothing again.
        progress: hears what is being done; nobody does without.
        weights: for a module: a file of its weights, dense or sparse, or what `niwaki.load_weights`
            gives; the module itself stays as it is.
        states: names of inputs that are states, each with the output that is its next value:
            `Network.step` then carries them from call to call.
        lengths: compile a network for each, in one bundle with one set of weights. A call has any
            length up to the largest; docs/lengths.md says what a length is.
        golden: keep inputs, and what the model gives for them, in the bundle. On a device that is
            new to it, it is then run on these before anything else. By default where a GPU or
            several targets may run it, and the arrays are small.
        place: with several targets: which layers each computes, so that they run at the same time
            on devices of one machine: ``auto``, or targets by patterns of layers' names, of which
            the first that fits counts; docs/placing.md.

    Raises:
        NiwakiError: the network, a file, the target or a pass is not what it must be; one line
            tells which and the remedy.
        CompilerBug: Niwaki itself failed; the message tells how to reproduce it.
    """
    check_arguments(
        output=output, dump_ir=dump_ir, weights=weights, example_kwargs=example_kwargs,
        shapes=shapes, constants=constants, target=target, batch=batch, pipeline=pipeline,
        trim_threshold=trim_threshold, tune=tune, without=without, progress=progress,
        precision=precision, tolerance=tolerance, calibrate=calibrate, states=states,
        lengths=lengths, golden=golden, place=place,
    )  # fmt: skip
    element, wanted = get_element(precision), sorted(map(int, lengths or ()))
    machines = {name: get_target(name) for name in split_targets(target)}
    for machine in machines.values():
        machine.check_precision(element)
    placing = check_place(place, list(machines))
    pipelines = {
        name: leave_out(
            compile_pipeline(machine, trim_threshold, element) if pipeline is None else pipeline,
            without,
        )
        for name, machine in machines.items()
    }
    _check_output(output)
    tuning = (Tuning() if tune else None) if isinstance(tune, bool) else tune
    if tuning is not None:
        tuning.check(target)
    progress = progress or Progress()
    stages = sum((len(own) - 1) * max(len(wanted), 1) + 1 for own in pipelines.values())
    progress.begin(stages + (3 if placing is None else 5))
    progress.stage("read the network")
    with rare_collection(), context() as ctx, _chooser(tuning, target, progress) as choose:
        choices = InputChoices(batch, dict(shapes or {}), dict(constants or {}))
        source = load_source(model, example_inputs, example_kwargs, choices, weights, wanted)
        networks = import_networks(source, wanted, ctx)
        imported = networks.imported[networks.longest]
        if placing is not None:
            check_patterns(placing, main_function(imported.module.operation))
        found_states = find_states(imported.signature, states or {})
        if found_states:
            numbers = int_array([state.input for state in found_states])
            imported.module.operation.attributes[STATES] = numbers
        expected = None
        if wants_golden(golden, imported, list(machines.values()), trim_threshold):
            at_longest = source.at(networks.longest) if wanted else source
            expected = golden_run(at_longest, imported, element, golden)
        folder = None if dump_ir is None else Path(dump_ir)
        settings = PartSettings(
            element, tolerance, calibrate, choose, found_states, folder, progress
        )
        parts = compile_parts(networks, pipelines, settings)
        if placing is not None:
            parts = with_together(networks, parts, pipelines, placing, settings)
        first, *others = parts
        progress.stage("write the bundle")
        write_bundle(output, first.manifest, first.module, first.weights, others, expected)
    return open_bundle(output)


def _chooser(
    tuning: Tuning | None, target: str, progress: Progress
) -> AbstractContextManager[Chooser | None]:
    """Who chooses kernels: nobody without tuning, so that estimates do."""
    if tuning is None:
        return nullcontext()
    if tuning.device_times:
        from niwaki.tuning.device_times import device_chooser

        return nullcontext(device_chooser(tuning.device_times, target).choose)
    from niwaki.tuning.tuner import tuner

    return tuner(tuning, progress)


def _check_output(output: PathLike) -> None:
    """Fail before minutes of work if the bundle cannot be written."""
    check_writable(output)
    if Path(output).exists() and not may_replace(Path(output)):
        raise NiwakiError(
            f"cannot write {os.fspath(output)}: it exists and is no bundle; name another file"
        )
