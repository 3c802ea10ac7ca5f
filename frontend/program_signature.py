"""The signature of an exported program: its tensors in order, and how callers nest them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind, TensorArgument
from torch.utils import _pytree as pytree

from niwaki.errors import NiwakiError
from niwaki.frontend.program_rules import dtype_name
from niwaki.signature import Signature, TensorSpec, Tree


def program_signature(program: ExportedProgram) -> Signature:
    """Specs of the tensors that go in and come out, in the order of @main's arguments and results.

    None may stand where a tensor could: it is part of the trees, but no argument.
    """
    values = {node.name: node.meta["val"] for node in program.graph.nodes if "val" in node.meta}
    arguments = [
        spec.arg
        for spec in program.graph_signature.input_specs
        if spec.kind is InputKind.USER_INPUT
    ]
    results = [
        spec.arg
        for spec in program.graph_signature.output_specs
        if spec.kind is OutputKind.USER_OUTPUT
    ]
    inputs = [_spec(arg.name, values[arg.name]) for arg in arguments if _is_tensor(arg)]
    input_tree = _tree(program.call_spec.in_spec, arguments, "argument")
    output_tree = _tree(program.call_spec.out_spec, results, "result")
    names = dict(_paths(output_tree, "output"))
    outputs = [
        _spec(names[number], values[arg.name])
        for number, arg in enumerate(filter(_is_tensor, results))
    ]
    return Signature(tuple(inputs), tuple(outputs), input_tree, output_tree)


def _is_tensor(arg: Any) -> bool:
    return isinstance(arg, TensorArgument)


def _spec(name: str, value: torch.Tensor) -> TensorSpec:
    return TensorSpec(name, tuple(value.shape), dtype_name(value.dtype))


def _tree(spec: pytree.TreeSpec | None, arguments: list[Any], what: str) -> Tree:
    """PyTorch's tree as ours, its leaves numbered by their place among the tensors."""
    assert spec is not None
    numbers = iter(range(len(arguments)))
    leaves = [next(numbers) if _is_tensor(arg) else None for arg in arguments]
    return _visit(pytree.tree_unflatten(leaves, spec), what)


def _visit(node: Any, what: str) -> Tree:
    if node is None or isinstance(node, int):
        return node
    if isinstance(node, dict):
        return {"dict": {str(key): _visit(child, what) for key, child in node.items()}}
    if isinstance(node, (tuple, list)):
        kind = "tuple" if isinstance(node, tuple) else "list"
        return {kind: [_visit(child, what) for child in node]}
    raise NiwakiError(
        f"the model has {type(node).__name__} as {what}: nest tensors in tuples, lists and dicts "
        "only"
    )


def _paths(tree: Tree, prefix: str) -> Iterator[tuple[int, str]]:
    """Number and name of each leaf: ``output``, ``output_0``, ``output_pair_1``."""
    if tree is None:
        return
    if isinstance(tree, int):
        yield tree, prefix
        return
    ((_, children),) = tree.items()
    items = children.items() if isinstance(children, dict) else enumerate(children)
    for key, child in items:
        yield from _paths(child, f"{prefix}_{key}")
