"""Compute what depends on weights alone.

    mul(weight_orig, weight_mask)     -->   one constant    (torch.nn.utils.prune)
    permute(linear.weight, [1, 0])    -->   one constant

Passes after the import recognise a layer by its constant weights, so a mask, a weight norm or a
transposition may not stand between the two.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.fx import Node
from torch.fx.node import map_arg

from niwaki.errors import NiwakiError
from niwaki.frontend.constants import add_constant, constant_tensors, replace_value
from niwaki.frontend.layer_names import layer_name

# A result larger than its inputs (a weight expanded to a batch) is kept as code, unless it is small
# anyway.
_SMALL = 1 << 20

aten = torch.ops.aten


def fold_constants(program: ExportedProgram) -> None:
    """Replace every node of `program` whose inputs are all constants by its value, in place.

    Raises NiwakiError where PyTorch cannot compute one.
    """
    for node in program.graph.find_nodes(op="call_function", target=aten.full_like.default):
        _fill(node, node.args[1])
    values: dict[Node, Any] = dict(constant_tensors(program))
    weights = set(values)
    computed: dict[
        Any, Any
    ] = {}  # equal computations share one tensor, as a module called twice does
    for node in program.graph.nodes:
        if not _is_foldable(node, values):
            continue
        inputs = map_arg((node.args, node.kwargs), lambda argument: id(values[argument]))
        key = (node.target, str(inputs))
        if key not in computed:
            computed[key] = _evaluate(node, values)
        if _grows(node, computed[key], values):
            continue
        values[node] = computed[key]

    placeholder_of: dict[int, Node] = {}
    for node, value in values.items():
        if node in weights or not isinstance(value, torch.Tensor):
            continue
        if not _depends_on(node, weights):
            _spell_out(node, value)
            continue
        if all(user in values for user in node.users):  # only a step on the way to another constant
            continue
        if id(value) not in placeholder_of:
            placeholder_of[id(value)] = add_constant(program, f"{layer_name(node)}.folded", value)
        replace_value(program, node, placeholder_of[id(value)])
    program.graph.eliminate_dead_code()
    program.graph_module.recompile()


def _spell_out(node: Node, value: torch.Tensor) -> None:
    """Replace what computes a tensor of one number by that: torch-mlir has 0.3 < 0 true."""
    if node.target == aten.full.default or not value.numel() or value.is_complex():
        return
    number = value.flatten()[0]
    if (value == number).all():
        _fill(node, number.item())


def _fill(node: Node, number: Any) -> None:
    """Let `node` make its tensor of a number, from nothing else."""
    value = node.meta["val"]
    node.target = aten.full.default
    node.args = (list(value.shape), number)
    node.kwargs = {"dtype": value.dtype, "pin_memory": False}


def _is_foldable(node: Node, values: dict[Node, Any]) -> bool:
    if node.op != "call_function" or not all(arg in values for arg in node.all_input_nodes):
        return False
    if node.target is operator.getitem:
        return True
    if not isinstance(node.target, torch._ops.OpOverload) or not node.target._schema.returns:
        return False
    if node.target.namespace == "niwaki":  # of ours, which PyTorch cannot compute
        return False
    if node.target._schema.is_mutable or torch.Tag.nondeterministic_seeded in node.target.tags:
        return False
    return not node.target.name().startswith("aten::empty")  # its contents are arbitrary


def _evaluate(node: Node, values: dict[Node, Any]) -> Any:
    assert callable(node.target)
    function: Callable[..., Any] = node.target
    args, kwargs = map_arg((node.args, node.kwargs), lambda argument: values[argument])
    try:
        with torch.no_grad():
            return function(*args, **kwargs)
    except (
        Exception
    ) as error:  # the graph says nothing of values, such as an index that is too high
        reason = next(iter(str(error).splitlines()), "")[:200].rstrip(" .")
        raise NiwakiError(
            f"layer {layer_name(node)!r} cannot compute its constants ({type(error).__name__}: "
            f"{reason}): give example inputs of sizes that the model takes"
        ) from error


def _grows(node: Node, value: Any, values: dict[Node, Any]) -> bool:
    inputs = [values[argument] for argument in node.all_input_nodes]
    size = sum(tensor.numel() for tensor in inputs if isinstance(tensor, torch.Tensor))
    return isinstance(value, torch.Tensor) and value.numel() > max(size, _SMALL)


def _depends_on(node: Node, weights: set[Node]) -> bool:
    """False for what is made of numbers alone (zeros, arange): its code is the smaller form."""
    pending, seen = [node], set[Node]()
    while pending:
        current = pending.pop()
        if current in weights:
            return True
        seen.add(current)
        pending += [argument for argument in current.all_input_nodes if argument not in seen]
    return False
