"""Let numbers of rows that are written count from the end where they are negative.

    index_put(x, [i], values)   -->   index_put(x, [where(i < 0, i + rows, i)], values)

torch-mlir does so for reading alone; what is written there goes before the tensor's memory.
"""

from __future__ import annotations

import torch
from torch.export import ExportedProgram
from torch.fx import Node

aten = torch.ops.aten


def wrap_indices(program: ExportedProgram) -> None:
    """Rewrite every `index_put` of `program`, decomposed, in place."""
    for node in program.graph.find_nodes(op="call_function", target=aten.index_put.default):
        x, indices = node.args[0], node.args[1]
        given = [index for index in indices if index is not None]
        if any(index.meta["val"].dtype == torch.bool for index in given):
            continue  # masks
        sizes = x.meta["val"].shape
        with program.graph.inserting_before(node):
            wrapped = [
                None if index is None else _wrapped(node, index, size)
                for index, size in zip(indices, sizes, strict=False)
            ]
        node.update_arg(1, wrapped)
    program.graph_module.recompile()


def _wrapped(node: Node, index: Node, size: int) -> Node:
    graph, value = node.graph, index.meta["val"]
    is_negative = graph.call_function(aten.lt.Scalar, (index, 0))
    from_end = graph.call_function(aten.add.Tensor, (index, size))
    chosen = graph.call_function(aten.where.self, (is_negative, from_end, index))
    place = {key: node.meta[key] for key in ("nn_module_stack", "from_node") if key in node.meta}
    for made in (is_negative, from_end, chosen):
        made.meta = {**place, "val": value}
    is_negative.meta["val"] = value.to(torch.bool)
    return chosen
