"""Run the passes on stages: each has those of its own target, but for one that all have together.

host    [import ... raise]                  [find schemes ... emit]
vulkan  [import ... raise]  [trim channels] [find schemes ... emit]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch_mlir.ir as ir

from niwaki.frontend import Imported
from niwaki.lengths.networks import Networks
from niwaki.lowering import Lowered, lower_networks
from niwaki.passes import Session, run_pipeline
from niwaki.passes.base import TARGET_ATTRIBUTE, function_ops, layer_name
from niwaki.passes.pipeline import Step
from niwaki.passes.trim_channels import TrimChannelsPass
from niwaki.records import Remark

from .joint_trimming import Wired, can_join, trim_joined
from .stages import main_function, stage_signature

# A target's name and its passes.
Own = tuple[str, list[Step]]


def lower_stages(
    wired: Wired, whole: Imported, own: Sequence[Own], shared: Session, dump_ir: Path | None
) -> tuple[list[Lowered], Wired]:
    """IREE's input for each stage, and how stages are connected now.

    Args:
        wired: stages as they were cut, whose modules are used up.
        whole: the network, which stays as it is.
        own: of each stage, its target.
        shared: what sessions have in common.
        dump_ir: folder for the IR after each pass, with a folder in it for each stage.
    """
    remarks = [list(whole.remarks) for _ in own]
    folders = [
        None if dump_ir is None else dump_ir / f"{number}-{name}"
        for number, (name, _) in enumerate(own, 1)
    ]
    befores, afters = zip(*(_parted(passes) for _, passes in own), strict=True)
    for number, (name, _) in enumerate(own):
        module, session = wired.modules[number], replace(shared, remarks=[])
        module.attributes[TARGET_ATTRIBUTE] = ir.StringAttr.get(name)
        folder = folders[number]
        before = None if folder is None else folder / "before-trimming"
        run_pipeline(module, befores[number], session, before)
        remarks[number] += [remark for _, remark in session.remarks]
    if all(befores) and can_join(wired):
        types = [one.type for one in main_function(whole.module.operation).arguments]
        session = replace(shared, remarks=[])
        trim = afters[0][0]
        wired = trim_joined(wired, types, trim, session, dump_ir and dump_ir / "trimming")
        afters = tuple(after[1:] for after in afters)
        for module, told in zip(wired.modules, remarks, strict=True):
            told += _of_module(module, [remark for _, remark in session.remarks])
    lowered = []
    for number, (name, _) in enumerate(own):
        module, given = wired.modules[number], whole.signature.inputs
        known = [None if stage else given[i] for stage, i in wired.inputs[number]]
        signature = stage_signature(main_function(module), known)
        networks = Networks({0: Imported(module, signature, remarks[number])})
        lowered.append(lower_networks(networks, name, shared, afters[number], folders[number]))
    return lowered, wired


def _parted(passes: list[Step]) -> tuple[list[Step], list[Step]]:
    """Passes before channels are trimmed, none if they never are, and all others."""
    trims = (i for i, one in enumerate(passes) if isinstance(one, TrimChannelsPass))
    place = next(trims, 0)
    return passes[:place], passes[place:]


def _of_module(module: ir.Operation, remarks: Sequence[Remark]) -> list[Remark]:
    """Those about layers that a module has."""
    layers = {layer_name(op.location) for op in function_ops(module)}
    return [remark for remark in remarks if remark.layer in layers]
