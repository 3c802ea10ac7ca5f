"""RNN, GRU and LSTM as ops of ours, one for each direction, behind one product for all inputs.

    Y, Y_h, Y_c = LSTM(X: 3 x 1 x 8, W, R, B)
      -->
    inputs = Gemm(X as 3 x 8, W', biases)
    y, last = niwaki.recurrent(inputs, R', states, lengths, peepholes)     and Y, Y_h, Y_c of those

W' and R' have their gates in the order of PyTorch's (see `recurrent_cells`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from niwaki.frontend.onnx_graph import TensorType
from niwaki.frontend.onnx_recurrent_options import Kind, activations, check, kind_of
from niwaki.frontend.onnx_steps import Steps


@dataclass(frozen=True)
class _Sizes:
    length: int
    batch: int
    inputs: int
    hidden: int


def recurrent(steps: Steps) -> None:
    """The rule for all three; each direction has its part of the weights and states."""
    kind = kind_of(steps)
    by_batch = bool(steps.attribute("layout", 0))
    first, second, inputs = steps.input_shape()
    length, batch = (second, first) if by_batch else (first, second)
    *_, hidden = (0, *steps.graph.type_of(steps.node.input[2]).shape)
    sizes = _Sizes(length, batch, inputs, hidden)
    direction = steps.attribute("direction", "forward")
    backwards = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[direction]
    functions = activations(steps, kind, len(backwards))
    check(steps, kind, len(backwards), length, batch, hidden)

    x = steps.node.input[0]
    if by_batch:
        x = steps.op("Transpose", x, perm=[1, 0, 2])
    flat = steps.op("Reshape", x, steps.constant([length * batch, inputs]))
    outputs, finals = [], []
    for number, reverse in enumerate(backwards):
        steps.part = ".reverse" if reverse else ""
        layer = _Direction(steps, kind, number, sizes)
        y, last = layer.run(flat, by_batch, functions[number], reverse)
        outputs.append(steps.op("Unsqueeze", y, steps.constant([1])))
        finals.append(last)
    steps.part = ""
    y = _joined(steps, outputs, axis=1)
    ends = [
        _joined(steps, [steps.slice(last, i, i + 1, axis=0) for last in finals], axis=0)
        for i in range(len(kind.states))
    ]
    if by_batch:
        y = steps.op("Transpose", y, perm=[2, 0, 1, 3])
        ends = [steps.op("Transpose", state, perm=[1, 0, 2]) for state in ends]
    steps.results = [y, *ends]


class _Direction:
    """What a node has for one direction."""

    def __init__(self, steps: Steps, kind: Kind, number: int, sizes: _Sizes) -> None:
        self.steps, self.kind, self.number, self.sizes = steps, kind, number, sizes
        self.resets_product = bool(steps.attribute("linear_before_reset", 0))

    def run(
        self, flat: str, by_batch: bool, functions: Sequence[Sequence[str | float]], reverse: bool
    ) -> tuple[str, str]:
        """All results, and the last states."""
        steps, kind, sizes = self.steps, self.kind, self.sizes
        width = len(kind.order) * sizes.hidden
        bias, per_unit = self._biases() if steps.input(3) else ("", "")
        if steps.input(7):
            rows = self._blocks(self._own(7), kind.peepholes)
            per_unit = steps.op("Reshape", rows, steps.constant([-1, sizes.hidden]))
        by_input, weight = (self._blocks(self._own(number), kind.order) for number in (1, 2))
        columns = steps.op("Transpose", by_input, perm=[1, 0])
        product = steps.op("Gemm", flat, columns, *filter(None, [bias]))
        inputs = steps.op("Reshape", product, steps.constant([sizes.length, sizes.batch, width]))
        states = _joined(steps, [self._state(given, by_batch) for given in kind.states], axis=0)
        element = steps.graph.type_of(steps.node.input[0]).element
        shape = (sizes.batch, sizes.hidden)
        y, last = steps.own_op(
            "recurrent",
            [inputs, weight, states, self._lengths(), per_unit],
            {
                "kind": kind.name,
                "functions": functions,
                "reverse": reverse,
                "clip": steps.attribute("clip"),
                "reset_after": self.resets_product,
                "input_forget": bool(steps.attribute("input_forget", 0)),
            },
            [
                TensorType(element, (sizes.length, *shape)),
                TensorType(element, (len(kind.states), *shape)),
            ],
        )
        return y, last

    def _own(self, position: int) -> str:
        """This direction's part of an input."""
        return self.steps.take(self.steps.node.input[position], self.number, axis=0)

    def _blocks(self, rows: str, order: Sequence[int]) -> str:
        """Blocks of a row for each unit, in another order."""
        if list(order) == sorted(order):
            return rows
        hidden, steps = self.sizes.hidden, self.steps
        return steps.op(
            "Concat",
            *(steps.slice(rows, i * hidden, (i + 1) * hidden, axis=0) for i in order),
            axis=0,
        )

    def _biases(self) -> tuple[str, str]:
        """Of the inputs' product; and what only a GRU's new gate's product with the state gets."""
        steps, hidden, count = self.steps, self.sizes.hidden, len(self.kind.order)
        both = self._own(3)
        w, r = (
            self._blocks(steps.slice(both, first, first + count * hidden, axis=0), self.kind.order)
            for first in (0, count * hidden)
        )
        if not self.resets_product:
            return steps.op("Add", w, r), ""
        gates = [steps.slice(bias, 0, 2 * hidden, axis=0) for bias in (w, r)]
        w_new, r_new = (steps.slice(bias, 2 * hidden, 3 * hidden, axis=0) for bias in (w, r))
        joined = steps.op("Concat", steps.op("Add", *gates), w_new, axis=0)
        return joined, steps.op("Unsqueeze", r_new, steps.constant([0]))

    def _state(self, position: int, by_batch: bool) -> str:
        """As 1 x batch x hidden; zeros where the node has none."""
        steps, sizes = self.steps, self.sizes
        if not (given := steps.input(position)):
            shape = steps.constant([1, sizes.batch, sizes.hidden])
            return steps.op("Expand", steps.number(0), shape)
        own = steps.slice(given, self.number, self.number + 1, axis=1 if by_batch else 0)
        return steps.op("Transpose", own, perm=[1, 0, 2]) if by_batch else own

    def _lengths(self) -> str:
        """Of the sequences; none where all are whole."""
        lengths = self.steps.input_constant(4)
        is_whole = lengths is not None and bool((lengths == self.sizes.length).all())
        return "" if is_whole else self.steps.input(4)


def _joined(steps: Steps, parts: Sequence[str], axis: int) -> str:
    return parts[0] if len(parts) == 1 else steps.op("Concat", *parts, axis=axis)
