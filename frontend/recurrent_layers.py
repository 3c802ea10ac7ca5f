"""PyTorch's recurrent layers and cells: a product for all inputs, and an op of ours for all steps.

    y, h = gru(x, h0, weights, ...)
      -->
    inputs = addmm(biases, x as rows, w_ih.t())
    y, h = niwaki::recurrent(inputs, w_hh, h0, None, bias of n, '{"kind": "gru", ...}')

for each layer and direction. A cell is a layer of one step. An LSTM with projections stays as
PyTorch takes it apart, step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._decomp.decompositions import lstm_impl
from torch._ops import OpOverload
from torch.fx import traceback

from niwaki.frontend.torch_own_ops import define, own_op

aten = torch.ops.aten


def _results(_: Any, inputs: Tensor, __: Tensor, states: Tensor, *___: Tensor) -> list[Tensor]:
    """What a `recurrent` gives."""
    return [states.new_empty(inputs.shape[0], *states.shape[1:]), states]


define("recurrent", 5, _results, count=2)


@dataclass(frozen=True)
class Kind:
    """A kind of layer; its activations as `recurrent_cells` has them."""

    name: str
    functions: tuple[str, ...]

    def run(
        self, x: Tensor, weights: Sequence[Tensor], states: Sequence[Tensor], reverse: bool
    ) -> tuple[Tensor, Tensor]:
        """One layer in one direction.

        From T x B x I and states of 1 x B x H: all results, T x B x H, and the last states.
        """
        w_ih, w_hh, *biases = weights
        start = torch.cat(list(states)) if len(states) > 1 else states[0]
        if not x.shape[1]:  # no sequences: nothing to compute
            return x.new_zeros(*x.shape[:2], w_hh.shape[1]), start
        bias, per_unit = self._biases(biases, w_hh.shape[1]) if biases else (None, None)
        rows = x.reshape(-1, x.shape[2])
        product = rows @ w_ih.t() if bias is None else torch.addmm(bias, rows, w_ih.t())
        options = {
            "kind": self.name,
            "functions": [[name] for name in self.functions],
            "reverse": reverse,
        }
        inputs = product.reshape(*x.shape[:2], w_ih.shape[0])
        y, last = own_op("recurrent", [inputs, w_hh, start, None, per_unit], options)
        return y, last

    def _biases(self, biases: Sequence[Tensor], units: int) -> tuple[Tensor, Tensor | None]:
        """What all inputs get, and what only the new gate's product with the state gets."""
        b_ih, b_hh = biases
        if self.name != "gru":
            return b_ih + b_hh, None
        both = b_ih[: 2 * units] + b_hh[: 2 * units]
        return torch.cat([both, b_ih[2 * units :]]), b_hh[2 * units :].unsqueeze(0)


def _layers(kind: Kind) -> Callable[..., Any]:
    """The rule for a stack of layers."""

    def rule(
        x: Tensor,
        start: Tensor | Sequence[Tensor],
        weights: Sequence[Tensor],
        has_biases: bool,
        layers: int,
        dropout: float,
        train: bool,
        bidirectional: bool,
        batch_first: bool,
    ) -> Any:
        states = [start] if isinstance(start, Tensor) else list(start)
        each, directions = 2 + 2 * has_biases, 1 + bidirectional
        if len(weights) != layers * directions * each:  # some are projections
            how = (has_biases, layers, dropout, train, bidirectional, batch_first)
            return lstm_impl(x, start, weights, *how)
        y, finals = x.transpose(0, 1) if batch_first else x, []
        for layer in range(layers):
            parts = []
            for number in range(layer * directions, (layer + 1) * directions):
                reverse = bool(number % directions)
                own = weights[number * each : (number + 1) * each]
                begin = [state[number : number + 1] for state in states]
                with _named(f".l{layer}" * (layers > 1) + ".reverse" * reverse):
                    part, last = kind.run(y, own, begin, reverse)
                parts.append(part)
                finals.append(last)
            y = torch.cat(parts, 2) if bidirectional else parts[0]
        ends = [torch.cat([last[i : i + 1] for last in finals]) for i in range(len(states))]
        return (y.transpose(0, 1) if batch_first else y, *ends)

    return rule


def _cell(kind: Kind) -> Callable[..., Any]:
    """The rule for a cell."""

    def rule(x: Tensor, start: Tensor | Sequence[Tensor], *weights: Tensor | None) -> Any:
        states = [start] if isinstance(start, Tensor) else list(start)
        own = [weight for weight in weights if weight is not None]
        _, last = kind.run(x.unsqueeze(0), own, [state.unsqueeze(0) for state in states], False)
        return last[0] if len(states) == 1 else (last[0], last[1])

    return rule


@contextmanager
def _named(suffix: str) -> Iterator[None]:
    """Let nodes be of a part of the module that they come from."""
    meta = traceback.current_meta
    stack = meta.get("nn_module_stack")
    if not suffix or not stack:
        yield
        return
    key, (path, kind) = list(stack.items())[-1]
    name, at, call = path.partition("@")
    name = name or kind.rpartition(".")[2].lower()  # the layer is the whole network
    meta["nn_module_stack"] = {**stack, key: (f"{name}{suffix}{at}{call}", kind)}
    try:
        yield
    finally:
        meta["nn_module_stack"] = stack


_KINDS = {
    (aten.gru.input, aten.gru_cell.default): Kind("gru", ("sigmoid", "tanh")),
    (aten.lstm.input, aten.lstm_cell.default): Kind("lstm", ("sigmoid", "tanh", "tanh")),
    (aten.rnn_relu.input, aten.rnn_relu_cell.default): Kind("rnn", ("relu",)),
    (aten.rnn_tanh.input, aten.rnn_tanh_cell.default): Kind("rnn", ("tanh",)),
}
RULES: dict[OpOverload, Callable[..., Any]] = {
    **{layer: _layers(kind) for (layer, _), kind in _KINDS.items()},
    **{cell: _cell(kind) for (_, cell), kind in _KINDS.items()},
}
