"""A network compiled for each target of a bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from niwaki.elements import Element
from niwaki.lengths.networks import Networks
from niwaki.lowered_bundle import compile_lowered
from niwaki.lowering import lower_networks
from niwaki.passes import Session
from niwaki.passes.choice import Chooser
from niwaki.passes.pipeline import Step
from niwaki.progress import Progress
from niwaki.records import StateRecord
from niwaki.runtime.bundle import Compiled
from niwaki.targets import get_target


@dataclass(frozen=True)
class PartSettings:
    """What all parts of a bundle have in common.

    Attributes:
        element: type of layers.
        tolerance, calibrate: as `niwaki.compile` takes them.
        choose: who chooses kernels; by estimate if nobody does.
        states: of the network, which its module has been told of.
        dump_ir: folder for the IR after each pass, with a folder in it for each of several targets.
        progress: hears what is being done.
    """

    element: Element
    tolerance: float | None
    calibrate: Any
    choose: Chooser | None
    states: Sequence[StateRecord]
    dump_ir: Path | None
    progress: Progress

    def settle(self, networks: Networks, target: str, passes: list[Step]) -> Any:
        """Who decides which layers stay f32; nobody without a tolerance."""
        if self.tolerance is None:
            return None
        from niwaki.tolerance.settle import settler

        imported = networks.imported[networks.longest]
        examples = self.tolerance, self.calibrate, imported
        machine = get_target(target)
        return settler(*examples, machine, self.element, passes, self.choose, self.progress)


def compile_parts(
    networks: Networks, pipelines: Mapping[str, list[Step]], settings: PartSettings
) -> list[Compiled]:
    """The networks for each target, in the order of `pipelines`, which has passes by target.

    The networks' modules are used up. Must be called in an MLIR context.
    """
    several, parts = len(pipelines) > 1, []
    for target, passes in pipelines.items():
        own = networks.copies() if several else networks
        folder = settings.dump_ir
        if folder is not None and several:
            folder = folder / target
        shared = Session(choose=settings.choose, progress=settings.progress)
        shared.settle = settings.settle(own, target, passes)
        lowered = lower_networks(own, target, shared, passes, folder)
        parts.append(
            compile_lowered(lowered, get_target(target), settings.states, settings.progress)
        )
    return parts
