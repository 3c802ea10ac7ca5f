"""Decide which layers stay f32, by running the network on this machine with some layers narrow.

1. One program with both forms of each layer (`switch-elements`) tells what layers cost, alone and
   together, and from that `layers_to_keep` chooses.
2. The network of that choice, as it is compiled, must be within the tolerance. Where its kernels
   are others and it is not, the choice is made again, for less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from niwaki.elements import Element
from niwaki.errors import NiwakiError
from niwaki.frontend.imported import Imported
from niwaki.passes.base import layer_name
from niwaki.passes.choice import Chooser
from niwaki.passes.narrow_elements import NarrowElementsPass
from niwaki.passes.narrowing import mark_wide, narrowable
from niwaki.passes.pipeline import Step, parse_pipeline
from niwaki.passes.pipelines import compile_pipeline
from niwaki.passes.switch_elements import SwitchElementsPass
from niwaki.progress import Progress
from niwaki.records import Remark
from niwaki.targets import Target, get_target

from .board import Board
from .distance import Outputs, errors
from .examples import Examples, calibration, own_examples
from .rehearsal import Rehearsal, stand_in
from .search import layers_to_keep


@dataclass(frozen=True)
class Settler:
    """Marks the layers of a module that stay f32.

    Attributes:
        tolerance: how far results may be from those in f32, of an output's largest magnitude.
        examples: inputs that it is measured on.
        rehearsal: how networks are run.
        steps: the passes that make kernels, the one that narrows layers first.
        progress: hears how far it has come.
    """

    tolerance: float
    examples: Examples
    rehearsal: Rehearsal
    steps: Sequence[Step]
    progress: Progress = field(default_factory=Progress)

    def __call__(self, module: Any) -> list[Remark]:
        """Mark layers of `module`, all of which are f32 still; returns what is true of each output.

        Raises:
            NiwakiError: no output has floats.
        """
        if not any(spec.dtype.startswith("float") for spec in self.rehearsal.signature.outputs):
            raise NiwakiError("a tolerance is for outputs of floats, and the network has none")
        element = self.rehearsal.element.name
        layers = narrowable(module, self.rehearsal.element)
        if not layers:
            return []
        names = [layer_name(op.location) for op in layers]
        both = [SwitchElementsPass(element), *self.steps[1:]]
        with self.rehearsal.network(module, both, len(layers)) as run:
            board = Board(run, self.examples, names, self.progress)
            limit = self.tolerance
            while True:
                kept = layers_to_keep(len(layers), board.error, board.error_alone, limit)
                reasons = {number: _reason(element, board.error_alone(number)) for number in kept}
                mark_wide(layers, reasons)
                off = self._errors(module, board.wanted)
                if max(off) <= self.tolerance or len(kept) == len(layers):
                    return self._told(len(kept) < len(layers), off)
                limit *= min(0.9, self.tolerance / max(off))

    def _errors(self, module: Any, wanted: Sequence[Outputs]) -> list[float]:
        """How far each output of the network is off, as it is compiled."""
        self.progress.layer("the whole network")
        with self.rehearsal.network(module, self.steps) as run:
            return errors([run(call) for call in self.examples.calls], wanted)

    def _told(self, narrow: bool, off: Sequence[float]) -> list[Remark]:
        """What the user hears of each output; the report counts the layers of each type."""
        element, allowed = self.rehearsal.element.name, percent(self.tolerance)
        tail = f"tolerance {allowed}, measured in {self.examples.told}"
        outputs = [
            (spec.name, error)
            for spec, error in zip(self.rehearsal.signature.outputs, off, strict=True)
            if spec.dtype.startswith("float")
        ]
        if not narrow:
            told = f"no layer is {element}, as with any the error would be larger ({tail})"
            return [Remark(name, NarrowElementsPass.name, told) for name, _ in outputs]
        return [
            Remark(
                name,
                NarrowElementsPass.name,
                f"with layers of {element} off by {percent(error)} of its largest value in f32 "
                f"({tail})",
            )
            for name, error in outputs
        ]


def settler(
    tolerance: float,
    calibrate: Any,
    imported: Imported,
    target: Target,
    element: Element,
    passes: Sequence[Step],
    choose: Chooser | None,
    progress: Progress,
) -> Settler:
    """The settler of a compilation by `passes`.

    Raises:
        NiwakiError: there are no examples, or they do not fit the network.
    """
    inputs = imported.signature.inputs
    if calibrate is not None:
        examples = calibration(calibrate, inputs)
    elif imported.examples is not None:
        examples = own_examples(imported.examples, inputs)
    else:
        raise NiwakiError(
            "a tolerance is measured on examples, which such a model brings none of: give some by "
            "calibrate (--calibrate images.npz)"
        )
    runs = stand_in(target)
    if runs != target.name:
        passes = parse_pipeline(compile_pipeline(get_target(runs), precision=element))
    (first,) = (n for n, step in enumerate(passes) if isinstance(step, NarrowElementsPass))
    rehearsal = Rehearsal(runs, element, imported.signature, choose)
    return Settler(tolerance, examples, rehearsal, passes[first:], progress)


def _reason(element: str, error: float) -> str:
    """Why a layer stays f32, by the error that it makes alone."""
    if math.isinf(error):
        return f"in {element} it alone makes an output infinite or NaN"
    return f"in {element} it alone moves an output by {percent(error)} of its largest value"


def percent(share: float) -> str:
    """A share for people: ``0.83%``."""
    return f"{100 * share:.2g}%"
