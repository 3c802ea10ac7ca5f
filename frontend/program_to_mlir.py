"""From an exported program to the torch dialect, through torch-mlir's FxImporter.

Two things are ours: weights become `DenseElementsAttr` straight from their memory (the importer's
own way leads through Python lists of numbers), and every op is located at the name of its layer.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import TensorArgument
from torch.fx import Node
from torch_mlir import ir
from torch_mlir.extras.fx_importer import (
    FxImporter,
    FxImporterHooks,
    GraphNodeImporter,
    InputInfo,
)

from niwaki.errors import NiwakiError
from niwaki.frontend.constants import ADDED
from niwaki.frontend.dense_attribute import dense_attribute
from niwaki.frontend.layer_names import layer_name, op_name


def program_to_torch_dialect(program: ExportedProgram, context: ir.Context) -> ir.Module:
    """`program`, which is used up, as a function @main of torch ops in a module of `context`."""
    outputs = program.graph_signature.output_specs
    outputs[:] = [spec for spec in outputs if isinstance(spec.arg, TensorArgument)]  # no None
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # would put paths of this machine into locations
    importer = FxImporter(context=context, hooks=DenseWeights(), graph_node_importer_cls=NamedOps)
    function = importer.import_program(program, func_name="main")
    inputs = [name for name in program.graph_signature.user_inputs if isinstance(name, str)]
    for argument, name in zip(function.arguments, inputs, strict=True):
        argument.set_location(ir.Location.name(name, context=context))
    return importer.module


class DenseWeights(FxImporterHooks):
    """Weights as attributes that Python can read back; `dense_resource` has no such way."""

    def resolve_input(self, gni: Any, value: Any, info: InputInfo) -> ir.Value | None:
        name = info.input_spec.target
        literal = _literal(gni, value, name)
        if name in info.program.graph_module.meta.get(ADDED, ()):
            # The importer keeps all values to its end: without this, every folded weight is there
            # twice. The model's own tensors are not ours to empty.
            value.data = value.new_empty(0)
        return literal

    def resolve_literal(self, gni: Any, literal: Any, info: InputInfo | None) -> ir.Value | None:
        if not isinstance(literal, torch.Tensor):
            return None
        return _literal(gni, literal, "constant")


def _literal(gni: Any, value: torch.Tensor, name: str) -> ir.Value:
    element_type = gni._cc.dtype_to_type(value.dtype)
    with ir.InsertionPoint(gni._b), ir.Location.name(name, context=gni._c):
        return ir.Operation.create(
            "torch.vtensor.literal",
            results=[gni._cc.get_vtensor_type(value.shape, value.dtype)],
            attributes={"value": dense_attribute(value.detach().cpu().numpy(), element_type)},
        ).result


class NamedOps(GraphNodeImporter):
    """Locates what becomes of a graph node at its layer, and names the layer on failure."""

    __slots__ = ()

    def _import_torch_op_overload(
        self, loc: ir.Location, node: Node, concrete_target: Any = None
    ) -> None:
        name = layer_name(node)
        try:
            super()._import_torch_op_overload(
                ir.Location.name(name, context=self._c), node, concrete_target
            )
        except (
            Exception
        ) as error:  # asserts and lookups of the importer, for arguments it does not know
            raise NiwakiError(
                f"layer {name!r}: torch-mlir cannot import op {op_name(node)!r} with these "
                "arguments"
            ) from error

    def _import_hop(self, loc: ir.Location, node: Node, target: Any) -> None:
        raise NiwakiError(
            f"layer {layer_name(node)!r}: {op_name(node)!r} runs a part of the model in a "
            "way that is not supported: write it by while_loop, scan or cond"
        )
