"""A network that is being compiled, run on this machine with the kernels of its target.

Kernels are code for any machine until IREE has them. So what a phone will compute, in f16 with each
sum rounded, this machine can compute too, only slower.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy.typing as npt
import torch_mlir.ir as ir

from niwaki.code_generation import generate_code, iree_input
from niwaki.elements import Element
from niwaki.passes import Session, run_pipeline
from niwaki.passes.base import TARGET_ATTRIBUTE
from niwaki.passes.choice import Chooser
from niwaki.passes.pipeline import Step
from niwaki.runtime.bundle import open_bundle, write_bundle
from niwaki.runtime.manifest import Manifest
from niwaki.signature import Signature, TensorSpec, flatten
from niwaki.targets import TARGETS, Target, get_target
from niwaki.temporary import temporary_folder

Array = npt.NDArray[Any]
Network = Callable[[Sequence[Array]], list[Array]]


@dataclass(frozen=True)
class Rehearsal:
    """How to run a module.

    Attributes:
        target: whose kernels are run.
        element: type of narrow layers.
        signature: inputs and outputs of the network.
        choose: who chooses kernels; by estimate if nobody does.
    """

    target: str
    element: Element
    signature: Signature
    choose: Chooser | None = None

    @contextmanager
    def network(self, module: Any, steps: Sequence[Step], switches: int = 0) -> Iterator[Network]:
        """What passes make of a copy of `module`, with one more input of so many `switches`."""
        module, session = module.clone(), Session(choose=self.choose)
        module.attributes[TARGET_ATTRIBUTE] = ir.StringAttr.get(self.target, module.context)
        run_pipeline(module, list(steps), session)
        added = [TensorSpec("switches", (switches,), "int32")] if switches else []
        inputs = (*self.signature.inputs, *added)
        manifest = Manifest(
            niwaki=version("niwaki"),
            iree=version("iree-base-compiler"),
            target=self.target,
            driver="local",
            signature=replace(self.signature, inputs=inputs, input_tree=flatten((inputs, {}))[1]),
        )
        vmfb = generate_code(iree_input(module), here(self.target), session.computed).module
        with temporary_folder() as folder:
            write_bundle(folder / "net.niwaki", manifest, vmfb, session.parameters)
            with open_bundle(folder / "net.niwaki").load(os.cpu_count() or 1) as network:
                yield lambda arrays: flatten(network(*arrays))[0]


def stand_in(target: Target) -> str:
    """The target whose kernels this machine runs in place of a target's: CPUs' own."""
    if target.backend == "cpu":
        return target.name
    return next(
        one.name
        for one in TARGETS.values()
        if one.backend == "cpu" and one.computes == target.computes
    )


def here(name: str) -> Target:
    """The target called `name`, with code for this machine's CPU."""
    own = get_target("host")
    if name == "host":
        return own
    return replace(get_target(name), iree_flags=own.iree_flags, wide_flags=own.wide_flags)
