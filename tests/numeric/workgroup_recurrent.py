"""Recurrent layers of which a GPU's workgroup takes all steps of a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch_mlir.ir as ir
from torch import Tensor, nn
from torch_mlir.dialects import func

from niwaki.dialects import build_recurrent, scheme_attr
from niwaki.passes.base import constant
from niwaki.schemes import Dense, block_column_row_mask

from .cases import Case
from .random_layers import Generator, tensor
from .recurrent_layers import pruned
from .small_layers import add_all, f32, weights

# Kind, steps, sequences, units, how weights are pruned, and whether it begins with states. Both
# directions where there are two steps. Sizes with whole blocks of filters and without, more blocks
# than threads and fewer, more units than threads.
LAYERS: tuple[tuple[Any, int, int, int, str, bool], ...] = (
    (nn.GRU, 7, 3, 17, "dense", True),
    (nn.GRU, 2, 1, 130, "10x", False),
    (nn.GRU, 7, 1, 3, "unstructured", False),
    (nn.LSTM, 7, 3, 130, "10x", True),
    (nn.LSTM, 2, 1, 17, "unstructured", True),
    (nn.LSTM, 2, 3, 1, "dense", True),
    (nn.RNN, 7, 1, 200, "dense", False),
    (nn.RNN, 2, 1, 130, "unstructured", True),
    (nn.RNN, 2, 3, 17, "all zero", True),
    (nn.RNN, 7, 3, 48, "blocks of 8", False),
)
# One step is computed alone.
SINGLE = (nn.GRU, 1, 3, 17, "dense", True)


class Results(nn.Module):
    """All results of a layer, called with states or without, and states that others read, too."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, *states: Tensor) -> Any:
        begin: Any = states if len(states) == 2 else states[0] if states else None
        y, last = self.layer(x, begin)
        ends = last if isinstance(last, tuple) else (last,)
        return (y, *ends, *(state + 1 for state in states))


def for_workgroups() -> list[Case]:
    """The same ones in every test."""
    rng = np.random.default_rng(23)
    return [_case(rng, *layer) for layer in (*LAYERS, SINGLE)]


def _case(
    rng: Generator, kind: Any, steps: int, batch: int, units: int, scheme: str, begins: bool
) -> Case:
    directions = 1 + (steps == 2)
    layer = kind(5, units, bidirectional=directions == 2)
    layer = pruned(layer, "dense" if scheme == "10x" else scheme, rng)
    for name, parameter in layer.named_parameters():
        if name.startswith("weight_hh"):
            if scheme == "10x":
                rows = parameter.detach().numpy()[:, :, None]
                mask = block_column_row_mask(rows, 8, 1.25, 8, 40)
                parameter.data *= torch.from_numpy(mask[:, :, 0])
            # Small differences of states are to stay so.
            parameter.data *= 2 / max(1.0, float((parameter != 0).sum(1).max()) ** 0.5)
    states = [tensor(rng, directions, batch, units) for _ in range(1 + (kind is nn.LSTM))]
    name = f"{kind.__name__}, {steps} x {batch}, {units} units, {scheme}"
    return Case(name, Results(layer), (tensor(rng, steps, batch, 5), *states * begins))


def late_gates() -> Any:
    """A module of a layer with late gates and numbers per unit, in the current context."""
    steps, batch, units = 3, 2, 37
    states, inputs = f32([1, batch, units]), f32([steps, batch, 2 * units])
    module = ir.Module.create()
    with ir.InsertionPoint(module.body):
        function = func.FuncOp("network", ([inputs, states], [f32([steps, batch, units]), states]))
    block = function.add_entry_block()
    with ir.InsertionPoint(block):
        made = build_recurrent(
            block.arguments[0],
            weights((2 * units, units), "unstructured", np.random.default_rng(0)),
            block.arguments[1],
            None,
            constant(np.ones((1, units), np.float32)),
            lambda given: [add_all(given), add_all([given[0], given[5]])],
            reverse=True,
            late=1,
            scheme=scheme_attr(Dense()),
        )
        func.return_(list(made.results))
    return module.operation
