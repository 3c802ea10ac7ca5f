"""Cells that loops in Python call become layers of several steps, as far as they can."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_networks import Function
from torch import Tensor, nn
from torch.export import ExportedProgram
from torch.nn.utils import prune

from niwaki.frontend.torch_import import prepare_program

T = 4
X, H = torch.randn(2, T, 3), torch.randn(2, 5)


def layers(
    cell: nn.Module, forward: Callable[[nn.Module, Tensor, Tensor], Any], x: Tensor = X
) -> list[tuple[str, int]]:
    """The kind and the steps of each layer of a network that calls `cell`."""
    return layers_of(program(cell, forward, x))


def program(cell: nn.Module, forward: Callable[..., Any], x: Tensor = X) -> ExportedProgram:
    return prepare_program(Function(forward, cell=cell), (x, H))


def layers_of(made: ExportedProgram) -> list[tuple[str, int]]:
    target = torch.ops.niwaki.recurrent.default
    nodes = made.graph.find_nodes(op="call_function", target=target)
    return [(json.loads(n.args[5])["kind"], n.args[0].meta["val"].shape[0]) for n in nodes]


def ops_of(made: ExportedProgram, *names: str) -> int:
    """How many ops of these names there are."""
    found = [str(node.target).split(".")[1] for node in made.graph.nodes if "." in str(node.target)]
    return sum(found.count(name) for name in names)


def collect(self: Any, x: Tensor, h: Tensor) -> Tensor:
    """A plain loop."""
    states = []
    for t in range(T):
        h = self.cell(x[:, t], h)
        states.append(h)
    return torch.stack(states, 1)


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        (nn.GRUCell(3, 5), "gru"),
        (nn.GRUCell(3, 5, bias=False), "gru"),
        (nn.RNNCell(3, 5), "rnn"),
        (nn.RNNCell(3, 5, nonlinearity="relu"), "rnn"),
    ],
)
def test_one_state(cell: nn.Module, kind: str) -> None:
    made = program(cell, collect)
    assert layers_of(made) == [(kind, T)]
    # All steps are read and kept as they lie.
    assert ops_of(made, "select", "stack", "cat", "unsqueeze") <= 1


def test_masked_weights_are_one_constant() -> None:
    cell = nn.GRUCell(3, 5)
    prune.random_unstructured(cell, "weight_hh", 0.5)
    assert layers(cell, collect) == [("gru", T)]


def test_backwards_and_written_in_place() -> None:
    def forward(self: Any, x: Tensor, h: Tensor) -> Tensor:
        y = torch.zeros(2, T, 5)
        for t in reversed(range(T)):
            h = self.cell(x[:, t], h)
            y[:, t] = h
        return y

    made = program(nn.GRUCell(3, 5), forward)
    assert layers_of(made) == [("gru", T)]
    assert ops_of(made, "flip") == 2
    assert ops_of(made, "select_scatter", "scatter", "slice_scatter") == 0


def test_a_sequence_without_a_batch() -> None:
    def forward(self: Any, x: Tensor, h: Tensor) -> Tensor:
        state = h[0]
        for t in range(T):
            state = self.cell(x[0, t], state)
        return state

    assert layers(nn.GRUCell(3, 5), forward) == [("gru", T)]


def test_lstm() -> None:
    def forward(self: Any, x: Tensor, h: Tensor) -> Tensor:
        state: Any = None
        for t in range(T):
            state = self.cell(x[:, t], state)
        return torch.cat(state)

    assert layers(nn.LSTMCell(3, 5), forward) == [("lstm", T)]


def test_shown_states_of_cells_end_a_layer() -> None:
    def forward(self: Any, x: Tensor, h: Tensor) -> Any:
        state: Any = None
        shown = None
        for t in range(T):
            state = self.cell(x[:, t], state)
            shown = state[1] if t == 1 else shown
        return *state, shown

    assert layers(nn.LSTMCell(3, 5), forward) == [("lstm", 2), ("lstm", 2)]


def test_what_feeds_back_stays_single() -> None:
    def forward(self: Any, x: Tensor, h: Tensor) -> Tensor:
        for _ in range(T):
            h = self.cell(h[:, :3], h)
        return h

    assert layers(nn.GRUCell(3, 5), forward) == [("gru", 1)] * T


def test_parts_between_feeding_back() -> None:
    """The third step reads what the first has made: two layers of two steps."""

    def forward(self: Any, x: Tensor, h: Tensor) -> Tensor:
        first = self.cell(x[:, 0], h)
        h = self.cell(x[:, 1], first)
        h = self.cell(x[:, 2] + first[:, :3], h)
        return self.cell(x[:, 3], h)

    assert layers(nn.GRUCell(3, 5), forward) == [("gru", 2)] * 2


def test_stacks_of_cells() -> None:
    cells = nn.ModuleList([nn.GRUCell(3, 5), nn.LSTMCell(5, 4)])

    def forward(self: Any, x: Tensor, h: Tensor) -> Any:
        state: Any = None
        for t in range(T):
            h = self.cell[0](x[:, t], h)
            state = self.cell[1](h, state)
        return state[0]

    assert layers(cells, forward) == [("gru", T), ("lstm", T)]


def test_cells_that_feed_each_other() -> None:
    """Two steps of the first do not wait for one another; as one, they part those of the second."""
    cells = nn.ModuleList([nn.RNNCell(5, 5), nn.RNNCell(5, 5)])

    def forward(self: Any, x: Tensor, h: Tensor) -> Any:
        a = b = h
        for _ in range(3):
            a, b = self.cell[0](b, a), self.cell[1](a, b)
        return a

    assert sorted(steps for _, steps in layers(cells, forward)) == [1, 1, 1, 2]


def test_equal_weights_of_two_cells_are_two_layers() -> None:
    cells = nn.ModuleList([nn.GRUCell(3, 5), nn.GRUCell(3, 5)])

    def forward(self: Any, x: Tensor, h: Tensor) -> Any:
        for t in range(T):
            h = self.cell[t // 2](x[:, t], h)
        return h

    assert layers(cells, forward) == [("gru", 2)] * 2


def test_two_branches_from_one_state() -> None:
    def forward(self: Any, x: Tensor, h: Tensor) -> Any:
        h = self.cell(x[:, 0], h)
        return self.cell(x[:, 1], h), self.cell(x[:, 2], h)

    assert layers(nn.GRUCell(3, 5), forward) == [("gru", 2), ("gru", 1)]


def test_a_single_call_leaves_the_program_as_it_is() -> None:
    assert layers(nn.GRUCell(3, 5), lambda self, x, h: self.cell(x[:, 0], h)) == [("gru", 1)]
