"""Recurrent networks whose units are partly zero, and partly read by nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .cases import Case
from .random_layers import Generator, pick, tensor

KINDS = (nn.GRU, nn.LSTM, nn.RNN)
UNITS = (1, 2, 7, 16, 33)
# What is read of a layer's results, and what the network returns besides.
ENDINGS = ("all steps", "last step", "last state", "mean")
RETURNED = ("nothing",) * 5 + ("states", "steps")
# Where layers begin: at zero, at an input, at constants of which some units have none.
BEGINNINGS = ("nowhere",) * 4 + ("input", "constants")

Bools = NDArray[np.bool_]


class Stack(nn.Module):
    """Layers of a kind, one behind the other, and a linear layer."""

    def __init__(self, layers: nn.Module, ending: str, returned: str) -> None:
        super().__init__()
        self.layers = layers
        self.ways = 1 + layers.bidirectional
        self.head = nn.Linear(layers.hidden_size * self.ways, 3)
        self.ending, self.returned = ending, returned

    def forward(self, x: Tensor, start: Tensor | None = None) -> Any:
        is_pair = isinstance(self.layers, nn.LSTM)
        begin: Any = getattr(self, "start", start)
        y, last = self.layers(x, (begin, begin) if is_pair and begin is not None else begin)
        states = last if is_pair else (last,)
        read = {
            "all steps": lambda: y,
            "last step": lambda: y[-1],
            "last state": lambda: torch.cat(list(states[0][-self.ways :]), -1),
            "mean": lambda: torch.relu(y).mean(0),
        }[self.ending]()
        more = {"nothing": (), "states": states, "steps": (y,)}[self.returned]
        return (self.head(read), *more) if more else self.head(read)


def pruned_recurrent(rng: Generator, kind: Any = None) -> Case:
    """Any such network."""
    kind = kind or pick(rng, KINDS)
    steps, batch, inputs, units = (
        pick(rng, sizes) for sizes in ((1, 2, 17), (1, 3), (1, 5), UNITS)
    )
    options: dict[str, Any] = (
        {"nonlinearity": pick(rng, ("tanh", "relu"))} if kind is nn.RNN else {}
    )
    layers = kind(
        *(inputs, units, pick(rng, (1, 2, 3))),
        bias=pick(rng, (True, True, False)),
        bidirectional=pick(rng, (True, False)),
        **options,
    )
    model = Stack(layers, pick(rng, ENDINGS), pick(rng, RETURNED))
    prune_units(model, rng)
    given, beginning = [tensor(rng, steps, batch, inputs)], pick(rng, BEGINNINGS)
    start = tensor(rng, layers.num_layers * model.ways, batch, units)
    if beginning == "input":
        given.append(start)
    if beginning == "constants":
        model.register_buffer("start", start * torch.from_numpy(rng.random(units) < 0.5))
    name = f"{layers}, {beginning} to {model.ending}, returns {model.returned}, {steps} x {batch}"
    return Case(name, model.eval(), tuple(given))


@torch.no_grad()
def prune_units(model: Stack, rng: Generator) -> None:
    """Units without weights in all gates or the last one, with biases or without; unread ones."""
    for parameter in model.layers.parameters():  # so small that steps do not diverge
        parameter.copy_(tensor(rng, *parameter.shape) / math.sqrt(parameter[0].numel() + 1))
    units = model.layers.hidden_size
    suffixes = [name.removeprefix("weight_ih") for name, _ in model.layers.named_parameters()]
    for suffix in (suffix for suffix in suffixes if suffix.startswith("_l")):
        silence(model.layers, suffix, rng.random(units) < pick(rng, (0, 0.4, 0.7)), rng)
        ignore(model, suffix, rng.random(units) < pick(rng, (0, 0.3, 0.6)), rng)


def silence(layers: Any, suffix: str, gone: Bools, rng: Generator) -> None:
    """Rows of zeros, of all gates or of one alone, and mostly biases of zeros."""
    which = pick(rng, ("all", "all", "one"))
    leaves_biases = pick(rng, (0, 0, 0.3))
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        parameter = getattr(layers, name + suffix, None)
        if parameter is None:
            continue
        gates = parameter.view(-1, gone.size, *parameter.shape[1:])
        rows = gone & (rng.random(gone.size) >= leaves_biases) if "bias" in name else gone
        # The gate of new values is the third one, of an RNN the only one.
        (gates if which == "all" else gates[2:3] if len(gates) > 1 else gates)[:, rows] = 0


def ignore(model: Stack, suffix: str, unread: Bools, rng: Generator) -> None:
    """Columns of zeros in what reads units of a layer; units that go may still read one another."""
    layers, way = model.layers, int(suffix.endswith("reverse"))
    number = int(suffix[2:].split("_")[0])
    columns = np.flatnonzero(unread) + way * unread.size
    if number + 1 == layers.num_layers:
        model.head.weight[:, columns] = 0
    else:
        for ending in ("", "_reverse")[: model.ways]:
            getattr(layers, f"weight_ih_l{number + 1}{ending}")[:, columns] = 0
    readers = ~unread | (rng.random(unread.size) < pick(rng, (0, 0.5)))
    gates = getattr(layers, f"weight_hh{suffix}").view(-1, unread.size, unread.size)
    gates[:, np.outer(readers, unread)] = 0
