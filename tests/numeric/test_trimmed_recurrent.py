"""Units that are zero at every step, or that nothing reads, leave recurrent layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import niwaki
from niwaki.dialects import RecurrentOp, context, recurrence
from niwaki.passes import Session, parse_pipeline, run_pipeline
from niwaki.passes.base import function_ops

from .cases import Case, check
from .pruned_recurrent import KINDS, Stack, pruned_recurrent
from .random_layers import tensor
from .test_trimmed_networks import TRIM, raised, weight_shapes

UNITS, KEPT = 12, (1, 4, 5, 9)
GONE = [unit for unit in range(UNITS) if unit not in KEPT]


def test_random_units(tmp_path: Path) -> None:
    """PyTorch's results, whatever is zero; many layers become smaller."""
    rng = np.random.default_rng(11)
    compiled = check([pruned_recurrent(rng, kind) for kind in KINDS * 3], tmp_path)
    layers = [layer for layer in compiled.bundle.layers if layer.op.startswith("recurrent")]
    assert sum("units" in layer.reason for layer in layers) > len(layers) // 4


def rows(parameter: Any) -> Any:
    """Gates x units of rows."""
    return parameter.data.view(-1, UNITS, *parameter.shape[1:])


def stack(kind: Any, ending: str = "all steps", **options: Any) -> Stack:
    """Two layers that have weights everywhere."""
    torch.manual_seed(0)
    return Stack(kind(5, UNITS, 2, **options), ending, "nothing").eval()


def silence(model: Stack, *, gates: slice = slice(None), biases: bool = True) -> Stack:
    """Rows of zeros."""
    for name, parameter in model.layers.named_parameters():
        if biases or "bias" not in name:
            rows(parameter)[gates, GONE] = 0
    return model


def sizes(model: nn.Module, batch: int = 2) -> tuple[list[int], list[Any]]:
    """Units of all layers after trimming, and shapes of all other weights."""
    with context() as ctx:
        module = raised(Case("", model, (torch.rand(3, batch, 5),)), ctx)
        run_pipeline(module, parse_pipeline(TRIM), Session())
        layers = [op for op in function_ops(module) if isinstance(op, RecurrentOp)]
        return [recurrence(op).units for op in layers], weight_shapes(module)


@pytest.mark.parametrize(
    ("ending", "bidirectional"),
    [("all steps", True), ("last step", False), ("last state", True), ("mean", False)],
)
@pytest.mark.parametrize("kind", KINDS)
def test_silent_units(kind: Any, ending: str, bidirectional: bool) -> None:
    units, shapes = sizes(silence(stack(kind, ending, bidirectional=bidirectional)), batch=1)
    ways, width = 1 + bidirectional, {nn.GRU: 3, nn.LSTM: 4, nn.RNN: 1}[kind] * len(KEPT)
    assert units == [len(KEPT)] * 2 * ways
    assert shapes == [[width, 5]] * ways + [[width, ways * 4]] * ways + [[3, ways * 4]]


def test_last_states_of_other_layers() -> None:
    """Where the last one's is read, units of others are not tied to its units."""
    model = silence(stack(nn.GRU, "last state"))
    rows(model.layers.weight_ih_l1)[:, GONE] = rows(model.layers.weight_ih_l1)[:, KEPT[:1]]
    assert sizes(model)[0] == [4, UNITS]


@pytest.mark.parametrize(("kind", "gate"), [(nn.GRU, 2), (nn.LSTM, 2)])
def test_units_without_new_values(kind: Any, gate: int) -> None:
    """Their other gates keep or forget what is zero."""
    assert sizes(silence(stack(kind), gates=slice(gate, gate + 1)))[0] == [4, 4]


@pytest.mark.parametrize(("kind", "gate"), [(nn.GRU, 0), (nn.GRU, 1), (nn.LSTM, 0), (nn.LSTM, 3)])
def test_units_without_another_gate_stay(kind: Any, gate: int) -> None:
    assert sizes(silence(stack(kind), gates=slice(gate, gate + 1)))[0] == [UNITS, UNITS]


@pytest.mark.parametrize("kind", KINDS)
def test_biases_move_states(kind: Any) -> None:
    """Units without weights that have biases stay, but those of a last RNN: it gives constants,
    which the next layer takes into its bias."""
    units = sizes(silence(stack(kind), biases=False))[0]
    assert units == [UNITS, UNITS]


@pytest.mark.parametrize("kind", KINDS)
def test_unread_units(kind: Any) -> None:
    """They may read one another; each layer alone, or what only the next one's units read."""
    model = stack(kind)
    model.head.weight.data[:, GONE] = 0
    assert sizes(model)[0] == [UNITS, UNITS]
    by_state = rows(model.layers.weight_hh_l1)
    by_state[:, KEPT] *= torch.ones(UNITS).index_fill(0, torch.tensor(GONE), 0)
    assert sizes(model)[0] == [UNITS, 4]
    rows(model.layers.weight_ih_l1)[:, KEPT, 0] = 0
    rows(model.layers.weight_hh_l0)[:, 1:, 0] = 0
    assert sizes(model)[0] == [UNITS - 1, 4]


def test_streams_keep_their_states(tmp_path: Path) -> None:
    """States that a session keeps have all units, also where they begin at something."""
    model = silence(stack(nn.GRU))
    model.returned = "states"
    rng = np.random.default_rng(0)
    x, last = tensor(rng, 1, 1, 5), torch.zeros(2, 1, UNITS)
    path, states = tmp_path / "net.niwaki", {"start": "output_1"}
    net = niwaki.compile(model, (x, last), output=path, states=states).load()
    state = net.initial_state()
    for _ in range(3):
        x = tensor(rng, 1, 1, 5)
        found, state = net.step(x.numpy(), state)
        expected, last = model(x, last)
        np.testing.assert_allclose(found, expected.detach().numpy(), atol=1e-5)
    begun = torch.ones_like(last)
    expected = model(x, begun)[0].detach().numpy()
    np.testing.assert_allclose(net(x.numpy(), begun.numpy())[0], expected, atol=1e-5)


def test_reports(tmp_path: Path) -> None:
    x = torch.rand(3, 1, 5)
    small = niwaki.compile(silence(stack(nn.GRU)), x, output=tmp_path / "net.niwaki")
    layers = [layer for layer in small.layers if layer.op.startswith("recurrent")]
    assert len(layers) == 2
    assert all("trimmed: 12 -> 4 units" in layer.reason for layer in layers)
