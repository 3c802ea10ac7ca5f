"""Ops that sum, sort or multiply bytes or booleans, in a type that torch-mlir gets right.

    sum(u8)            -->   sum(to(u8, i32))                      signed bytes were summed
    sort(u8)           -->   values, places = sort(to(u8, i32)); to(values, u8)
    max_pool2d(u8)     -->   likewise in f32, which holds all bytes, and has kernels
    sort(i1)           -->   the same                              true was below false
    mm(i8, i8)         -->   to(mm(to(i32), to(i32)), i8)          the process ended

Elementwise ops are left to explicit_types.py.
"""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.fx import Node
from torch.fx.node import map_arg

from niwaki.frontend.constants import replace_value
from niwaki.frontend.explicit_types import CONVERSIONS, NARROW, converted, is_elementwise

aten = torch.ops.aten

_WIDENED = (*NARROW, torch.bool)
_IN_FLOATS = (
    aten.max_pool2d_with_indices.default,
    aten.max_pool3d_with_indices.default,
)
# They only move elements, of whatever type.
_MOVES = frozenset(
    {
        aten.alias.default,
        aten.as_strided.default,
        aten.cat.default,
        aten.clone.default,
        aten.constant_pad_nd.default,
        aten.copy.default,
        aten.diagonal.default,
        aten.embedding.default,
        aten.expand.default,
        aten.flip.default,
        aten.full_like.default,
        aten.gather.default,
        aten.index.Tensor,
        aten.index_select.default,
        aten.permute.default,
        aten.repeat.default,
        aten.scatter.src,
        aten.scatter.value,
        aten.select.int,
        aten.select_scatter.default,
        aten.slice.Tensor,
        aten.slice_scatter.default,
        aten.split_with_sizes.default,
        aten.squeeze.dim,
        aten.squeeze.dims,
        aten.unfold.default,
        aten.unsqueeze.default,
        aten.view.default,
    }
)


def widen_narrow(program: ExportedProgram) -> None:
    """Rewrite `program`, decomposed, in place."""
    for node in list(program.graph.nodes):
        if isinstance(node.target, torch._ops.OpOverload) and _computes_with_narrow(node):
            _widen(program, node)
    program.graph_module.recompile()


def _computes_with_narrow(node: Node) -> bool:
    if node.target in _MOVES or node.target in CONVERSIONS or is_elementwise(node):
        return False
    if node.target.namespace == "niwaki":  # kernels of ours take what they are given
        return False
    if not node.all_input_nodes:  # makes a constant
        return False
    return node.kwargs.get("dtype") in _WIDENED or any(map(_is_narrow, node.all_input_nodes))


def _is_narrow(node: Node) -> bool:
    value = node.meta.get("val")
    return isinstance(value, torch.Tensor) and value.dtype in _WIDENED


def _widen(program: ExportedProgram, node: Node) -> None:
    wide = torch.float32 if node.target in _IN_FLOATS else torch.int32
    with node.graph.inserting_before(node):
        made = {
            source: converted(source, wide, node)
            for source in node.all_input_nodes
            if _is_narrow(source)
        }
    node.args, node.kwargs = map_arg(
        (node.args, node.kwargs), lambda source: made.get(source, source)
    )
    if node.kwargs.get("dtype") in _WIDENED:
        node.kwargs = node.kwargs | {"dtype": wide}
    before, after = node.meta["val"], _value(node)
    node.meta["val"] = after
    node.meta.pop("tensor_meta", None)  # has the old type as well
    if isinstance(before, torch.Tensor):
        _narrow(program, node, before.dtype)
        return
    for user in list(node.users):
        if user.target is operator.getitem:
            number = user.args[1]
            assert isinstance(number, int)
            user.meta["val"] = after[number]
            user.meta.pop("tensor_meta", None)
            _narrow(program, user, before[number].dtype)


def _value(node: Node) -> Any:
    """What the op gives for its new arguments: a tensor without data, or several."""
    assert callable(node.target)
    args, kwargs = map_arg((node.args, node.kwargs), lambda source: source.meta["val"])
    with torch.no_grad():
        return node.target(*args, **kwargs)


def _narrow(program: ExportedProgram, node: Node, dtype: torch.dtype) -> None:
    if node.meta["val"].dtype == dtype:
        return
    with node.graph.inserting_after(node):
        narrow = converted(node, dtype, node)
    replace_value(program, node, narrow)
    narrow.update_arg(0, node)
