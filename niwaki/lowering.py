"""From imported networks to one module of IREE's input, and what the bundle records of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch_mlir.ir as ir

from niwaki.dispatch_order import Dispatch
from niwaki.elements import Element
from niwaki.lengths.join import function_name, join_modules
from niwaki.lengths.networks import Networks
from niwaki.passes import Session, run_pipeline
from niwaki.passes.base import TARGET_ATTRIBUTE
from niwaki.passes.pipeline import Step
from niwaki.records import DispatchRecord, LayerRecord, LengthRecord, Remark


@dataclass(frozen=True)
class Lowered:
    """What passes made of the networks of a bundle.

    Attributes:
        networks: as they were imported.
        module: IREE's input, with all of them.
        sessions: by length, those of the passes that each network had for itself.
        emitting: that of the passes that they had together.
    """

    networks: Networks
    module: Any
    sessions: Mapping[int, Session]
    emitting: Session

    @property
    def parameters(self) -> Mapping[str, npt.NDArray[Any]]:
        """The weights."""
        return self.emitting.parameters

    @property
    def computed(self) -> Element:
        """The type in which layers add up."""
        return self.sessions[self.networks.longest].computed

    def records(self, orders: Mapping[str, Sequence[Dispatch]]) -> dict[str, Any]:
        """Fields of the manifest: `orders` are the kernels of a call, by entry points."""
        longest = self.networks.longest
        if not longest:  # all that IREE has made of one network
            everything = [run for order in orders.values() for run in order]
            return self._record(0, everything)
        records = {
            length: self._record(length, orders[function_name(length, longest)])
            for length in sorted(self.sessions)
        }
        shorter = [
            LengthRecord(length, function_name(length, longest), **records[length])
            for length in records
            if length != longest
        ]
        return {**records[longest], "lengths": replace(self.networks.lengths, shorter=shorter)}

    def _record(self, length: int, order: Sequence[Dispatch]) -> dict[str, Any]:
        session, imported = self.sessions[length], self.networks.imported[length]
        # A layer that is called several times, as a recurrent one in each step, tells a thing once.
        told = (*imported.remarks, *(remark for _, remark in session.remarks))
        remarks, families = list(dict.fromkeys(told)), self.emitting.kernels
        return {
            "layers": [with_reason(layer, remarks) for layer in session.layers],
            "dispatches": [
                DispatchRecord(run.layer, run.kernel, families.get(run.kernel, "")) for run in order
            ],
            "remarks": remarks,
        }


def lower_networks(
    networks: Networks, target: str, shared: Session, passes: list[Step], dump_ir: Path | None
) -> Lowered:
    """Run the passes, the last one on the networks of all lengths together.

    Args:
        networks: their modules are used up.
        target: its name.
        shared: what sessions of all networks have in common.
        passes: a pipeline whose last pass emits IREE's input.
        dump_ir: folder for the IR after each pass, with a folder in it for each length.
    """
    modules, sessions = {}, {}
    several = networks.longest > 0
    own, together = (passes[:-1], passes[-1:]) if several else (passes, [])
    for length, imported in networks.imported.items():
        module = imported.module.operation
        module.attributes[TARGET_ATTRIBUTE] = ir.StringAttr.get(target)
        session = replace(shared, remarks=[], layers=[], parameters={}, kernels={})
        run_pipeline(module, own, session, _folder(dump_ir, length))
        modules[length], sessions[length] = module, session
    emitting = sessions[networks.longest]
    whole = join_modules(modules, networks.longest)
    run_pipeline(whole, together, emitting, _folder(dump_ir, "all") if several else None)
    return Lowered(networks, whole, sessions, emitting)


def _folder(dump_ir: Path | None, name: int | str) -> Path | None:
    return dump_ir / str(name) if dump_ir and name else dump_ir


def with_reason(layer: LayerRecord, remarks: Sequence[Remark]) -> LayerRecord:
    """A layer's record with what the passes declined to do for it."""
    return replace(
        layer, reason="; ".join(remark.reason for remark in remarks if remark.layer == layer.name)
    )
