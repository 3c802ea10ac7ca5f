"""RNN, GRU and LSTM as their steps: one product for all inputs, one for the state at each step.

    LSTM(x: 3 x 1 x 8, w, r, b)
      -->
    gates = Gemm(x as 3 x 8, w.T, b)
    h, c = cell(gates[0] + Gemm(h, r.T), c)      cell(gates[1] + ...      cell(gates[2] + ...

All steps read the same constants, which is how passes know them as one layer. Steps at which a
sequence of the batch has ended, or not begun when it runs backwards, keep its state.
"""

from __future__ import annotations

from typing import NamedTuple

from niwaki.frontend.onnx_recurrent_cells import CELLS, Cell, activations
from niwaki.frontend.onnx_steps import Steps


class _Sizes(NamedTuple):
    length: int
    batch: int
    inputs: int
    hidden: int


def recurrent(steps: Steps) -> None:
    """The rule for all three; each direction has its part of the weights and states."""
    kind = CELLS[steps.node.op_type]
    by_batch = bool(steps.attribute("layout", 0))
    x = steps.node.input[0]
    if by_batch:
        x = steps.op("Transpose", x, perm=[1, 0, 2])
    first, second, inputs = steps.input_shape()
    length, batch = (second, first) if by_batch else (first, second)
    hidden = steps.graph.type_of(steps.node.input[2]).shape[2]
    sizes = _Sizes(length, batch, inputs, hidden)
    flat = steps.op("Reshape", x, steps.constant([length * batch, inputs]))

    direction = steps.attribute("direction", "forward")
    backwards = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[direction]
    functions = activations(steps, kind, len(backwards))
    outputs, finals = [], []
    for number, is_backwards in enumerate(backwards):
        cell = kind(steps, number, functions[number], hidden)
        states = [
            _initial_state(steps, position, number, by_batch, sizes)
            for position in kind.state_inputs
        ]
        output, states = _unroll(steps, cell, flat, states, is_backwards, sizes)
        outputs.append(output)
        finals.append(states)
    y = steps.op("Concat", *outputs, axis=1)
    shape = steps.constant([len(backwards), batch, hidden])
    last = [
        steps.op("Reshape", steps.op("Concat", *parts, axis=0), shape)
        for parts in zip(*finals, strict=True)
    ]
    if by_batch:
        y = steps.op("Transpose", y, perm=[2, 0, 1, 3])
        last = [steps.op("Transpose", state, perm=[1, 0, 2]) for state in last]
    steps.results = [y, *last]


def _initial_state(
    steps: Steps, position: int, direction: int, by_batch: bool, sizes: _Sizes
) -> str:
    """As batch x hidden; zeros where the node has none."""
    if not (given := steps.input(position)):
        return steps.op("Expand", steps.number(0), steps.constant([sizes.batch, sizes.hidden]))
    return steps.take(given, direction, axis=1 if by_batch else 0)


def _unroll(
    steps: Steps, cell: Cell, flat: str, states: list[str], is_backwards: bool, sizes: _Sizes
) -> tuple[str, list[str]]:
    """All states as length x 1 x batch x hidden, and the last one of each kind."""
    projected = cell.project(flat)
    shape = steps.constant([1, 1, sizes.batch, sizes.hidden])
    outputs = [""] * sizes.length
    times = range(sizes.length)
    for time in reversed(times) if is_backwards else times:
        gates = steps.slice(projected, time * sizes.batch, (time + 1) * sizes.batch, axis=0)
        new = cell.step(gates, states)
        output = new[0]
        if runs := _running(steps, time):
            new = [steps.op("Where", runs, a, b) for a, b in zip(new, states, strict=True)]
            output = steps.op("Where", runs, output, steps.number(0))
        states = new
        outputs[time] = steps.op("Reshape", output, shape)
    return steps.op("Concat", *outputs, axis=0), states


def _running(steps: Steps, time: int) -> str:
    """Which sequences are longer than `time`, as batch x 1; empty where all are."""
    lengths = steps.input_constant(4)
    if not (given := steps.input(4)) or (lengths is not None and (lengths > time).all()):
        return ""
    longer = steps.op("Greater", given, steps.constant(time, "int32"))
    return steps.op("Unsqueeze", longer, steps.constant([1]))
