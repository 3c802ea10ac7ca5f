"""Tensors that are taken apart and put together again, whole.

    y[0] = a; y[1] = b                      -->   stack([a, b])
    stack([x[:, 2], x[:, 3], x[:, 4]], 0)   -->   movedim(x[:, 2:5], 1, 0)
    stack([x[2], x[1], x[0]], 1)            -->   movedim(flip(x[0:3], 0), 0, 1)

A loop in Python takes and leaves tensors step by step: many slices where one copy would do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.fx import Node

from niwaki.frontend.constants import replace_value

aten = torch.ops.aten


def merge_selects(program: ExportedProgram) -> None:
    """Rewrite `program`, in place, whose nodes know their shapes where they are stacked."""
    for stack in program.graph.find_nodes(op="call_function", target=aten.stack.default):
        parts, *dims = stack.args
        if (found := _source(parts)) is None:
            continue
        source, dim, indices = found
        low, high, rank = min(indices), max(indices), source.meta["val"].dim()
        to = dims[0] if dims else 0
        with program.graph.inserting_before(stack):
            value = _call(stack, aten.slice.Tensor, source, dim, low, high + 1)
            if indices[0] > indices[-1]:
                value = _call(stack, aten.flip.default, value, [dim])
            if dim % rank != to % rank:
                value = _call(stack, aten.movedim.int, value, dim, to)
        replace_value(program, stack, value)
        program.graph.erase_node(stack)


def merge_writes(program: ExportedProgram) -> None:
    """Stack what is written to all places of a tensor, one by one, in place."""
    for write in program.graph.find_nodes(op="call_function", target=aten.select_scatter.default):
        if any(user.target == write.target and user.args[0] is write for user in write.users):
            continue  # not the last one
        (_, _, dim, _), whole = write.args, write.meta["val"].shape
        written: dict[int, Node] = {}
        before = write
        while before.target == write.target and before.args[2] == dim:
            written.setdefault(before.args[3] % whole[dim], _copied(before.args[1]))
            before = before.args[0]
        if len(written) < whole[dim]:
            continue
        with program.graph.inserting_before(write):
            parts = [written[place] for place in range(whole[dim])]
            replace_value(program, write, _call(write, aten.stack.default, parts, dim))


def _copied(value: Node) -> Node:
    """What is copied to a slice of its type and shape."""
    if value.target != aten.copy.default:
        return value
    source = value.args[1]
    if not isinstance(source, Node) or "val" not in source.meta:
        return value
    kinds = [(val.shape, val.dtype) for val in (node.meta["val"] for node in (value, source))]
    return source if kinds[0] == kinds[1] else value


def _source(parts: Sequence[Any]) -> tuple[Node, int, list[int]] | None:
    """What `parts` are taken from, along which dimension and where; None if not side by side."""
    if not all(isinstance(part, Node) and part.target == aten.select.int for part in parts):
        return None
    (source, dim, _), size = parts[0].args, len(parts)
    if any(part.args[:2] != (source, dim) for part in parts) or "val" not in source.meta:
        return None
    count = source.meta["val"].shape[dim]
    indices = [part.args[2] % count for part in parts]
    step = -1 if indices[0] > indices[-1] else 1
    if indices != list(range(indices[0], indices[0] + step * size, step)):
        return None
    return source, dim, indices


def _call(like: Node, target: Any, *args: Any) -> Node:
    node = like.graph.call_function(target, args)
    node.meta = {
        key: like.meta[key] for key in ("nn_module_stack", "from_node") if key in like.meta
    }
    return node
