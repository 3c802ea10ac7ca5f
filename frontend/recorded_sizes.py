"""Whether a program that was read from a file is what it says of itself.

A file notes the size and type of every value, and PyTorch takes its word. Where that is not what
its ops give, an import would fail anywhere, or lay out memory wrongly. So the program is run once
on tensors without contents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import fx
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.export import ExportedProgram
from torch.fx.experimental.symbolic_shapes import ShapeEnv
from torch.utils import _pytree as pytree


def has_open_sizes(program: ExportedProgram) -> bool:
    """Whether a size of an input may change from call to call."""
    values = [node.meta["val"] for node in program.graph.find_nodes(op="placeholder")]
    shapes = [value.shape for value in values if isinstance(value, torch.Tensor)]
    return any(not isinstance(size, int) for shape in shapes for size in shape)


def check_recorded_sizes(program: ExportedProgram) -> None:
    """Raises ValueError where a value is not as it was noted, or whatever its op raises."""
    # Loops make symbols of what they count.
    mode = FakeTensorMode(allow_non_fake_inputs=True, shape_env=ShapeEnv())
    stored = _stored(program)
    with mode:
        arguments = [
            _empty(stored.get(node.name, node.meta["val"]))
            for node in program.graph.find_nodes(op="placeholder")
        ]
        _Check(program.graph_module).run(*arguments)


def _stored(program: ExportedProgram) -> Mapping[str, Any]:
    """The parameters, buffers and constants, by the names of their placeholders."""
    signature = program.graph_signature
    names = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    names.update(signature.inputs_to_lifted_tensor_constants)
    return {
        node: program.state_dict[name] if name in program.state_dict else program.constants[name]
        for node, name in names.items()
    }


def _empty(value: Any) -> Any:
    """A tensor like it, without contents."""
    if not isinstance(value, torch.Tensor):
        return value
    return torch.empty_strided(tuple(value.shape), value.stride(), dtype=value.dtype)


class _Check(fx.Interpreter):
    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        noted, given = (pytree.tree_leaves(value) for value in (n.meta.get("val"), result))
        if n.op != "output" and list(map(_size, noted)) != list(map(_size, given)):
            raise ValueError(f"'{n.name}' is not what the file says of it")
        return result


def _size(value: Any) -> Any:
    """Of tensors alone: numbers are written differently."""
    return (value.dtype, tuple(value.shape)) if isinstance(value, torch.Tensor) else None
