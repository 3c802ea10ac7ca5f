"""Whether a plan of a manifest fits together: each stage reads what is there, as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from niwaki.signature import TensorSpec

if TYPE_CHECKING:
    from .manifest import Manifest

# That a network may be cut into: each has a module of its own.
MOST_STAGES = 64


def plan_problem(manifest: Manifest) -> str:
    """What is wrong with a manifest's plan, with the field that is; empty if nothing is."""
    stages = manifest.plan.stages
    if bool(stages) != (manifest.driver == "together"):
        return " must have stages where the driver is together, and there alone"
    if len(stages) > MOST_STAGES:
        return f".stages must be {MOST_STAGES} at most"
    signature = manifest.signature
    # What each number in a source stands for.
    given = [signature.inputs, *(stage.manifest.signature.outputs for stage in stages)]
    for i, stage in enumerate(stages):
        if problem := _sources_problem(
            stage.inputs, stage.manifest.signature.inputs, given[: i + 1]
        ):
            return f".stages[{i}].inputs {problem}"
    if stages and (problem := _sources_problem(manifest.plan.outputs, signature.outputs, given)):
        return f".outputs {problem}"
    return ""


def _sources_problem(
    sources: Sequence[Sequence[int]],
    wanted: Sequence[TensorSpec],
    given: Sequence[Sequence[TensorSpec]],
) -> str:
    if len(sources) != len(wanted):
        return "must be one for each tensor"
    for source, spec in zip(sources, wanted, strict=True):
        if len(source) != 2 or source[0] >= len(given) or source[1] >= len(given[source[0]]):
            return "must hold numbers of a stage before and of an output that it has"
        found = given[source[0]][source[1]]
        if (found.shape, found.dtype) != (spec.shape, spec.dtype):
            return f"must have what is read as it is given: {found} is no {spec}"
    return ""
