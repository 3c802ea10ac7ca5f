"""Reading and adding constant tensors of an exported program.

An exported program keeps weights outside of its graph: a placeholder stands for each, and the
program's signature says under which name the tensor is found.
"""

from __future__ import annotations

import re

import torch
from torch._subclasses import FakeTensor
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, InputSpec, TensorArgument
from torch.fx import Node

# Key in the graph module's meta: the names of the constants that `add_constant` has added.
ADDED = "niwaki.added_constants"

_WEIGHT_KINDS = (InputKind.PARAMETER, InputKind.BUFFER, InputKind.CONSTANT_TENSOR)


def placeholders(program: ExportedProgram) -> dict[str, Node]:
    """The graph's placeholders by name."""
    return {node.name: node for node in program.graph.find_nodes(op="placeholder")}


def constant_tensors(program: ExportedProgram) -> dict[Node, torch.Tensor]:
    """The tensor behind each placeholder that is a parameter, a buffer or a tensor literal."""
    nodes = placeholders(program)
    values: dict[Node, torch.Tensor] = {}
    for spec in program.graph_signature.input_specs:
        if spec.kind not in _WEIGHT_KINDS or spec.target is None:
            continue
        # Buffers that are not saved with the model (persistent=False) live with the literals.
        value = program.state_dict.get(spec.target, program.constants.get(spec.target))
        if isinstance(value, torch.Tensor):
            values[nodes[spec.arg.name]] = value.detach()
    return values


def constant_names(program: ExportedProgram) -> dict[Node, str]:
    """Each placeholder that is no input, with its name, e.g. ``"layer1.0.conv1.weight"``."""
    nodes = placeholders(program)
    return {
        nodes[spec.arg.name]: spec.target
        for spec in program.graph_signature.input_specs
        if spec.kind in _WEIGHT_KINDS and spec.target is not None
    }


def add_constant(program: ExportedProgram, name: str, value: torch.Tensor) -> Node:
    """A new placeholder for `value`, named `name`, with a number behind it where that is taken."""
    # With dots, a part might be the name of a method of modules; a ModuleDict takes any key.
    stem = re.sub(r"\W", "_", name)
    unique, number = stem, 0
    while unique in program.state_dict or unique in program.constants:
        number += 1
        unique = f"{stem}_{number}"

    first = next(iter(program.graph.nodes))
    with program.graph.inserting_before(first):
        node = program.graph.placeholder(f"b_{unique}")
    with _fake_mode(program):
        node.meta["val"] = torch.empty(value.shape, dtype=value.dtype)
    spec = InputSpec(InputKind.BUFFER, TensorArgument(name=node.name), unique, persistent=True)
    program.graph_signature.input_specs.insert(0, spec)
    program.state_dict[unique] = value
    program.graph_module.meta.setdefault(ADDED, set()).add(unique)
    return node


def replace_value(program: ExportedProgram, old: Node, new: Node) -> None:
    """Let every user of `old` use `new`, the program's outputs (known by name) included."""
    old.replace_all_uses_with(new)
    program.graph_signature.replace_all_uses(old.name, new.name)


def _fake_mode(program: ExportedProgram) -> torch.overrides.TorchFunctionMode:
    """The mode that the program's shapes were computed in; a graph must not mix two."""
    for node in program.graph.nodes:
        if isinstance(value := node.meta.get("val"), FakeTensor):
            return value.fake_mode
    raise AssertionError("a program without a single tensor has nothing to fold")
