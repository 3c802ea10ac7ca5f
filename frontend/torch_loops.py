"""Loops of PyTorch's `while_loop` and `scan`: their bodies become programs of their own.

y = while_loop(condition, body, (x,), (weight, r))
  -->
y = niwaki::loop(None, condition(x), x, r)        and the program loop_0(x, r) beside it
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.fx import GraphModule, Node

from niwaki.errors import NiwakiError
from niwaki.frontend.layer_names import layer_name
from niwaki.frontend.loop_op import ENDLESS, NAME, LoopOptions
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

WHILE, SCAN = torch.ops.higher_order.while_loop, torch.ops.higher_order.scan


class LoopBody(Body):
    """What a turn computes, as a module of what changes from turn to turn and what is read.

    Attributes:
        step, condition: the graphs that torch.export has made; a scan has no condition.
        carried: how many tensors each turn gives to the next.
        sequences: how many there are of which each turn takes a part.
    """

    def __init__(
        self,
        program: ExportedProgram,
        step: GraphModule,
        condition: GraphModule | None,
        carried: int,
        sequences: int,
        read: Sequence[Node],
    ) -> None:
        super().__init__(program, read)
        self.step, self.condition = step, condition
        self.carried, self.sequences = carried, sequences

    def forward(self, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Gets the turn if there are sequences, what is carried, these, and what is no weight."""
        turn, *rest = given if self.sequences else (None, *given)
        states, values = rest[: self.carried], iter(rest[self.carried :])
        whole = [next(values) for _ in range(self.sequences)]
        read = self.with_weights(values)
        if self.condition is None:
            assert turn is not None, "a scan has sequences"
            place = turn.reshape(1)
            items = [torch.index_select(one, 0, place).squeeze(0) for one in whole]
            return tuple(self.step(*states, *items, *read))
        made = self.step(*states, *read)
        return (self.condition(*made, *read), *made)


def take_loop(program: ExportedProgram, node: Node, add: Add) -> None:
    """Put an op of ours in the place of a loop, and `add` the program of its body.

    Raises:
        NiwakiError: the loop carries something else than tensors, or its condition makes some.
    """
    graphs, (carried, sequences, additional) = _arguments(node)
    modules = [graph_of(program, graph) for graph in graphs]
    step, condition = modules[-1], modules[0] if len(modules) == 2 else None
    check_tensors(node, [*carried, *sequences, *additional])
    if condition is not None and condition.graph.find_nodes(op="get_attr"):
        raise NiwakiError(
            f"layer {layer_name(node)!r}: '{node.target}' has a condition that makes a "
            "tensor of its own: make it a buffer of the model, or write a number"
        )
    body = LoopBody(program, step, condition, len(carried), len(sequences), additional)
    read = [*sequences, *no_weights(program, additional)]
    turn = [torch.zeros((), dtype=torch.int64)] * bool(sequences)
    name = add(NAME, export_body(body, [*turn, *map(like, [*carried, *read])]))
    turns = sequences[0].meta["val"].shape[0] if sequences else ENDLESS
    options = LoopOptions(name, len(carried), turns, condition is not None, bool(sequences))
    first = None
    if condition is not None:
        formal = [n for n in condition.graph.nodes if n.op == "placeholder"]
        places = dict(zip(formal, [*carried, *additional], strict=True))
        with program.graph.inserting_before(node):
            first = program.graph.graph_copy(condition.graph, places)
    replace(program, node, NAME, [None, first, *carried, *read], options.as_dict())


def _arguments(node: Node) -> tuple[list[Node], list[Sequence[Any]]]:
    """Graphs of a loop; what it carries, its sequences, and what it reads besides."""
    args: tuple[Any, ...] = node.args
    if node.target is WHILE:
        condition, step, carried, additional = args
        return [condition, step], [carried, (), additional]
    step, carried, sequences, additional = args
    return [step], [carried, sequences, additional]
