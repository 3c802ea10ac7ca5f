"""Bodies of PyTorch's loops and branches: programs of their own, which ops of ours call.

Weights that a body reads are weights of its program; torch.export puts them among what goes in.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram
from torch.fx import GraphModule, Node

from niwaki.errors import NiwakiError
from niwaki.frontend.constants import constant_names, constant_tensors
from niwaki.frontend.layer_names import layer_name
from niwaki.frontend.torch_export import export
from niwaki.frontend.torch_own_ops import define

# Prepares the program of a body for the import, and gives its name.
Add = Callable[[str, ExportedProgram], str]

# Ops of ours that are defined: their names, and numbers of their operands and results.
_DEFINED: set[tuple[str, int, int]] = set()

# Before names of weights, so that they are no other attributes of a module.
_MARK = "of/"


class Body(nn.Module):
    """A module that knows the weights among what its graphs read.

    Attributes:
        weights: for each tensor that is read the name of a weight, empty if it is none.
    """

    def __init__(self, program: ExportedProgram, read: Sequence[Node]) -> None:
        super().__init__()
        known, names = constant_tensors(program), constant_names(program)
        self.weights = [_buffer(names[value]) if value in known else "" for value in read]
        for name, value in zip(self.weights, read, strict=True):
            if name:
                self.register_buffer(name, known[value])

    def with_weights(self, values: Iterator[torch.Tensor]) -> list[torch.Tensor]:
        """All that graphs read, of `values` which are no weights."""
        return [getattr(self, name) if name else next(values) for name in self.weights]


def no_weights(program: ExportedProgram, read: Sequence[Node]) -> list[Node]:
    """What a body is given of what it reads: all but weights."""
    known = constant_tensors(program)
    return [value for value in read if value not in known]


def check_tensors(node: Node, values: Sequence[Any]) -> None:
    """Raise NiwakiError if one of the `values` that `node` is given is no tensor."""
    for value in values:
        if not isinstance(value, Node) or not isinstance(value.meta.get("val"), torch.Tensor):
            raise NiwakiError(
                f"layer {layer_name(node)!r}: '{node.target}' is given {value!r}, which is "
                "no tensor: make it one"
            )


def graph_of(program: ExportedProgram, node: Node) -> GraphModule:
    """The graph that `node` stands for."""
    found: GraphModule = getattr(program.graph_module, str(node.target))
    return found


def export_body(body: Body, given: Sequence[torch.Tensor]) -> ExportedProgram:
    """The program of `body` for tensors like those, whose layers are called by their weights."""
    program = export(body.eval(), tuple(given), {})
    names = constant_names(program)
    for node in program.graph.nodes:
        for source in node.all_input_nodes:
            path, _, kind = names.get(source, "").removeprefix(_MARK).rpartition("/")
            if kind == "weight":
                name = path.replace("/", ".")
                node.meta["nn_module_stack"] = {name: (name, "torch.nn.modules.Layer")}
    return program


def like(node: Node) -> torch.Tensor:
    """A tensor as `node` gives it."""
    value = node.meta["val"]
    return torch.zeros(value.shape, dtype=value.dtype)


def replace(
    program: ExportedProgram,
    node: Node,
    name: str,
    operands: Sequence[Node | None],
    options: Mapping[str, Any],
) -> None:
    """Put `niwaki::NAME` in the place of `node`, which gives a tuple of tensors."""
    results: Sequence[torch.Tensor] = node.meta["val"]
    kinds = [[list(one.shape), str(one.dtype).removeprefix("torch.")] for one in results]
    told = json.dumps({name: dict(options), "results": kinds})
    made_by = _own_op(name, len(operands), len(results))
    with program.graph.inserting_before(node):
        made = program.graph.call_function(made_by, (*operands, told))
    made.meta = dict(node.meta)
    if len(results) == 1:  # an op of one result gives no tuple
        made.meta["val"] = results[0]
        for user in list(node.users):
            if user.target is operator.getitem:
                user.replace_all_uses_with(made)
    node.replace_all_uses_with(made)


def _own_op(name: str, operands: int, results: int) -> Any:
    """`niwaki::NAME` for so many tensors."""
    overload = f"of{operands}_{results}"
    if (name, operands, results) not in _DEFINED:
        define(f"{name}.{overload}", operands, _results, results)
        _DEFINED.add((name, operands, results))
    return getattr(getattr(torch.ops.niwaki, name), overload)


def _results(options: dict[str, Any], *_: torch.Tensor | None) -> list[torch.Tensor]:
    """Tensors like those that an op gives."""
    return [torch.empty(shape, dtype=getattr(torch, kind)) for shape, kind in options["results"]]


def _buffer(weight: str) -> str:
    """What a weight is called in the module of a body, where dots would be modules."""
    return f"{_MARK}{weight.removeprefix(_MARK).replace('.', '/')}"
