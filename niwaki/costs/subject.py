r"""The network whose layers are priced, imported once and taken as far as layers have layouts.

network  -->  linalg on tensors  -->  layers with layouts, still without kernels
                |                       \__ `ops`: what estimates look at
                \__ `compiled`: bundles of it with other zeros, to be measured
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch_mlir.ir as ir

from niwaki.collection import rare_collection
from niwaki.dialects import context
from niwaki.elements import get_element
from niwaki.frontend.imported import Imported
from niwaki.frontend.input_choices import AS_DECLARED, InputChoices
from niwaki.layer_costs import Setting
from niwaki.lengths.networks import Networks
from niwaki.lowered_bundle import compile_lowered
from niwaki.lowering import lower_networks
from niwaki.passes import Session, parse_pipeline, run_pipeline
from niwaki.passes.base import TARGET_ATTRIBUTE, function_ops, layer_name
from niwaki.passes.pipeline import Step
from niwaki.passes.pipelines import compile_pipeline
from niwaki.passes.select_kernels import SelectKernelsPass, has_kernel
from niwaki.passes.trim_channels import TrimChannelsPass
from niwaki.runtime.bundle import Bundle, open_bundle, write_bundle
from niwaki.sources import load_source
from niwaki.targets import Target, get_target

from .estimates import form_key
from .set_zeros import set_zeros


@dataclass(frozen=True)
class Subject:
    """A network for a target.

    Attributes:
        imported: the network with its layers raised, and nothing trimmed yet; it stays as it is.
        rest: the passes that follow.
        ops: its layers with weights by name, in the order of the network, with layouts and without
            kernels; a layer that the network calls several times, or that has several weights, is
            several ops.
    """

    imported: Imported
    target: Target
    rest: Sequence[Step]
    ops: Mapping[str, Sequence[Any]]

    def compiled(self, settings: Mapping[str, Setting], path: Path) -> Bundle:
        """The bundle of the network with its weights pruned as `settings` say, at `path`.

        Raises:
            NiwakiError: a setting is impossible, or the file cannot be written.
        """
        with rare_collection(), self.imported.module.context:
            module = self.imported.module.operation.clone()
            set_zeros(module, settings)
            networks = Networks({0: replace(self.imported, module=module)})
            lowered = lower_networks(networks, self.target.name, Session(), list(self.rest), None)
            code = compile_lowered(lowered, self.target)
            write_bundle(path, code.manifest, code.module, code.weights)
        return open_bundle(path)

    @cached_property
    def key(self) -> str:
        """Equal for networks whose layers have the same names and forms."""
        text = repr([(name, [form_key(op) for op in ops]) for name, ops in self.ops.items()])
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@contextmanager
def opened(
    model: Any,
    example_inputs: Any = None,
    *,
    target: str = "host",
    precision: str = "f32",
    example_kwargs: Mapping[str, Any] | None = None,
    weights: Any = None,
    choices: InputChoices = AS_DECLARED,
) -> Iterator[Subject]:
    """A network to price, while the block runs; arguments as of `niwaki.compile`.

    Raises:
        NiwakiError: as `niwaki.compile` does.
    """
    machine, element = get_target(target), get_element(precision)
    machine.check_precision(element)
    steps = parse_pipeline(compile_pipeline(machine, precision=element))
    with rare_collection(), context() as ctx:
        imported = load_source(model, example_inputs, example_kwargs, choices, weights).imported(
            ctx
        )
        whole = imported.module.operation
        whole.attributes[TARGET_ATTRIBUTE] = ir.StringAttr.get(target, ctx)
        trimmed, chosen = (
            next(number for number, step in enumerate(steps) if isinstance(step, kind))
            for kind in (TrimChannelsPass, SelectKernelsPass)
        )
        run_pipeline(whole, steps[:trimmed], Session())
        module = whole.clone()
        run_pipeline(module, steps[trimmed:chosen], Session())
        ops: dict[str, list[Any]] = {}
        for op in function_ops(module):
            if has_kernel(op):
                ops.setdefault(layer_name(op.location), []).append(op)
        yield Subject(imported, machine, steps[trimmed:], ops)
