"""Cells that a loop in Python calls step by step, as one layer.

    h1 = gru_cell(x[0], h0, weights)              y, _ = gru(stack([x[0], x[1]]), h0, weights)
    h2 = gru_cell(x[1], h1, weights)      -->     h1, h2 = y[0], y[1]

torch.export writes loops out. Steps are rolled up as far as their inputs do not depend on one
another: a loop that feeds results back stays as many layers of one step.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.fx import Graph, Node
from torch.fx.node import map_arg

from niwaki.frontend.constants import replace_value
from niwaki.frontend.stacked_selects import merge_selects, merge_writes
from niwaki.frontend.torch_export import make_functional

aten = torch.ops.aten

# The layer that has a cell's steps.
_LAYERS: dict[Any, Any] = {
    aten.gru_cell.default: aten.gru.input,
    aten.lstm_cell.default: aten.lstm.input,
    aten.rnn_relu_cell.default: aten.rnn_relu.input,
    aten.rnn_tanh_cell.default: aten.rnn_tanh.input,
}


def roll_cells(program: ExportedProgram) -> ExportedProgram:
    """`program`, or a new one where steps are rolled up."""
    if sum(node.target in _LAYERS for node in program.graph.nodes) < 2:
        return program
    program = make_functional(program)
    for chain in _chains(program.graph):
        for steps in _independent(program.graph, chain):
            if len(steps) > 1:
                _roll(program, steps)
                _sort(program.graph)
    merge_writes(program)
    merge_selects(program)
    program.graph.eliminate_dead_code()
    program.graph_module.recompile()
    return program


def _chains(graph: Graph) -> list[list[Node]]:
    """Cells of equal weights, each of which begins with the states that the one before has made."""
    numbers = _value_numbers(graph)
    chains: list[list[Node]] = []
    chain_of_end: dict[Node, list[Node]] = {}
    for cell in graph.nodes:
        if cell.target not in _LAYERS:
            continue
        before = _made_by(_states(cell))
        if before in chain_of_end and _kind(before, numbers) == _kind(cell, numbers):
            chain = chain_of_end.pop(before)
        else:
            chain = []
            chains.append(chain)
        chain.append(cell)
        chain_of_end[cell] = chain
    return chains


def _value_numbers(graph: Graph) -> dict[Node, int]:
    """Equal numbers for what is computed alike: a module's masked weights are, at each call."""
    numbers: dict[Node, int] = {}
    known: dict[str, int] = {}
    for node in graph.nodes:
        inputs = map_arg((node.args, node.kwargs), lambda argument: numbers[argument])
        is_call = node.op == "call_function"
        key = f"{node.target} {inputs}" if is_call else node.name
        numbers[node] = known.setdefault(key, len(known))
    return numbers


def _kind(cell: Node, numbers: dict[Node, int]) -> tuple[Any, ...]:
    """What steps of one layer have in common."""
    return (cell.target, *(numbers[weight] for weight in _weights(cell)))


def _weights(cell: Node) -> Sequence[Node]:
    return [weight for weight in cell.args[2:] if isinstance(weight, Node)]


def _states(cell: Node) -> Sequence[Node]:
    states: Any = cell.args[1]
    return [states] if isinstance(states, Node) else list(states)


def _made_by(states: Sequence[Node]) -> Node | None:
    """The cell whose results `states` are; None if there is none."""
    if len(states) == 1:
        return _without_batch(states[0])
    first, second = states
    if [state.target for state in states] != [operator.getitem] * 2:
        return None
    (cell, which), (other, which_other) = first.args, second.args
    is_made = cell is other and (which, which_other) == (0, 1)
    return cell if is_made and isinstance(cell, Node) else None


def _without_batch(state: Node) -> Node:
    """A module that gets one sequence without a batch gives it one, and takes it away after."""
    if state.target != aten.unsqueeze.default or state.args[1] != 0:
        return state
    inner = state.args[0]
    if not isinstance(inner, Node) or inner.target != aten.squeeze.dim or inner.args[1] != 0:
        return state
    cell = inner.args[0]
    return cell if isinstance(cell, Node) else state


def _independent(graph: Graph, chain: Sequence[Node]) -> Iterator[list[Node]]:
    """Parts of a chain whose inputs depend on none of their own steps."""
    place = {cell: number for number, cell in enumerate(chain)}
    latest: dict[Node, int] = {}  # which step of the chain a value depends on
    for node in graph.nodes:
        before = max((latest[argument] for argument in node.all_input_nodes), default=-1)
        latest[node] = place.get(node, before)
    first = 0
    for number in range(1, len(chain) + 1):
        ends = number == len(chain) or _shows_cell_state(chain[number - 1])
        if ends or _latest_input(chain[number], latest) >= first:
            yield list(chain[first:number])
            first = number


def _latest_input(cell: Node, latest: dict[Node, int]) -> int:
    (x, *_) = cell.args
    assert isinstance(x, Node)
    return latest[x]


def _shows_cell_state(cell: Node) -> bool:
    """Whether not only the next step reads an LSTM's second state: a layer gives the last one."""
    results = [user for user in cell.users if user.target is operator.getitem]
    second = [result for result in results if result.args[1] == 1]
    return sum(len(state.users) for state in second) > 1


def _roll(program: ExportedProgram, steps: Sequence[Node]) -> None:
    """Replace cells by one layer."""
    first, last = steps[0], steps[-1]
    graph, weights = program.graph, _weights(first)
    is_lstm = len(_states(first)) > 1
    val = first.meta["val"][0] if is_lstm else first.meta["val"]

    def call(target: Any, *args: Any, val: Any = None) -> Node:
        node = graph.call_function(target, args)
        node.meta = {"val": val}
        for key in ("nn_module_stack", "from_node"):
            if key in first.meta:
                node.meta[key] = first.meta[key]
        return node

    with graph.inserting_before(last):
        x = call(aten.stack.default, [step.args[0] for step in steps], 0)
        begin = [call(aten.unsqueeze.default, state, 0) for state in _states(first)]
        how = (len(weights) > 2, 1, 0.0, False, False, False)
        layer = call(_LAYERS[first.target], x, begin if is_lstm else begin[0], weights, *how)
        y = call(operator.getitem, layer, 0, val=val.new_empty(len(steps), *val.shape))
        ends = [call(aten.select.int, call(operator.getitem, layer, 2), 0, 0)] if is_lstm else []
        results = [call(aten.select.int, y, 0, number, val=val) for number in range(len(steps))]
    for step, result in zip(steps, results, strict=True):
        made = [result, *(ends if step is last else [])]
        for user in list(step.users) if is_lstm else []:
            if user.args[1] < len(made):
                replace_value(program, user, made[user.args[1]])
        if not is_lstm:
            replace_value(program, step, result)
    for step in reversed(steps):
        for user in [user for user in step.users if not user.users]:
            graph.erase_node(user)
        if not step.users:
            graph.erase_node(step)


def _sort(graph: Graph) -> None:
    """Put each node behind those it reads, and leave the others in order."""
    *nodes, end = list(graph.nodes)
    placed: set[Node] = set()
    for first in nodes:
        waiting = [first]
        while waiting:
            node = waiting[-1]
            needed = [one for one in node.all_input_nodes if one not in placed]
            if node not in placed and not needed:
                end.prepend(node)
                placed.add(node)
            waiting = waiting[:-1] if node in placed else [*waiting, *needed]
