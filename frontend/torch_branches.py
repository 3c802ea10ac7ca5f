"""Branches of PyTorch's `cond`: both become programs of their own.

y = cond(c, yes, no, (x, weight, r))
  -->
y = niwaki::branch(c, x, r)      and the programs branch_0(x, r) and branch_1(x, r) beside it
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.fx import GraphModule, Node

from niwaki.frontend.branch_op import NAME, BranchOptions
from niwaki.frontend.torch_bodies import (
    Add,
    Body,
    check_tensors,
    export_body,
    graph_of,
    like,
    no_weights,
    replace,
)

COND = torch.ops.higher_order.cond


class BranchBody(Body):
    """What one branch computes, as a module of what is no weight."""

    def __init__(self, program: ExportedProgram, graph: GraphModule, read: Sequence[Node]) -> None:
        super().__init__(program, read)
        self.branch = graph

    def forward(self, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(self.branch(*self.with_weights(iter(given))))


def take_branch(program: ExportedProgram, node: Node, add: Add) -> None:
    """Put an op of ours in the place of a `cond`, and `add` the programs of its branches.

    Raises:
        NiwakiError: it is given something else than tensors.
    """
    args: tuple[Any, ...] = node.args
    condition, *graphs, read = args
    check_tensors(node, [condition, *read])
    if condition.meta["val"].dtype != torch.bool:
        with program.graph.inserting_before(node):
            call = program.graph.call_function(torch.ops.aten.ne.Scalar, (condition, 0))
        call.meta["val"] = condition.meta["val"] != 0
        condition = call
    given = no_weights(program, read)
    bodies = [BranchBody(program, graph_of(program, graph), read) for graph in graphs]
    yes, no = (add(NAME, export_body(body, [like(one) for one in given])) for body in bodies)
    replace(program, node, NAME, [condition, *given], BranchOptions(yes, no).as_dict())
