"""Pruning reaches the weights of every kind of layer, by every scheme and every method."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.prune import l1_unstructured

import niwaki
from niwaki.errors import NiwakiError
from niwaki.pruning import (
    METHODS,
    PRUNING_SCHEMES,
    PruningConfig,
    find_layers,
    left_out,
    parse_scheme,
    select,
)
from niwaki.pruning.costs import layer_flops, layer_seconds

pytestmark = pytest.mark.usefixtures("one_thread")

KINDS: dict[str, nn.Module] = {
    "conv1d": nn.Conv1d(16, 32, 5),
    "grouped": nn.Conv2d(32, 32, 3, groups=2),
    "conv3d": nn.Conv3d(8, 16, (1, 3, 3)),
    "linear": nn.Linear(32, 48),
    "transposed1d": nn.ConvTranspose1d(16, 24, 4, stride=2),
    "transposed2d": nn.ConvTranspose2d(24, 32, 3, stride=2, groups=2),
    "transposed3d": nn.ConvTranspose3d(8, 16, 2, stride=2),
    "gru": nn.GRU(16, 24, 2, bidirectional=True),
    "lstm": nn.LSTM(16, 24, proj_size=8),
    "rnn cell": nn.RNNCell(16, 24),
    "attention": nn.MultiheadAttention(32, 4),
    "attention of three sizes": nn.MultiheadAttention(32, 4, kdim=16, vdim=24),
}

SMALL = {"crossbar": "crossbar(filters=8, columns=2)"}  # the default is one for all weights here


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", [SMALL.get(name, name) for name in PRUNING_SCHEMES])
def test_every_kind_of_layer_by_every_scheme(kind: str, scheme: str) -> None:
    """What stays is the scheme's mask of the weights as filters x channels x taps."""
    model = KINDS[kind]
    matrices = {id(p) for p in model.parameters() if p.dim() > 1}
    assert {id(layer.weight) for layer in find_layers(model)} == matrices
    config = PruningConfig(scheme, 4, include=["*"])
    if scheme == "pattern" and max(layer.shape[2] for layer in find_layers(model)) <= 4:
        with pytest.raises(NiwakiError, match="patterns of 4 taps need kernels with more"):
            select(model, config)
        return
    pruned = niwaki.prune(model, config=config, method="magnitude")
    for before, after in zip(find_layers(model), find_layers(pruned), strict=True):
        weights = before.array(before.weight)
        found = parse_scheme(scheme).fit(weights)
        mask = found.mask(weights, 4, before.groups)
        np.testing.assert_array_equal(after.array(after.weight), np.where(mask, weights, 0))
        assert np.count_nonzero(mask) <= mask.size / 2


@settings(max_examples=60, deadline=None)
@given(
    dims=st.integers(1, 3), groups=st.integers(1, 3), filters=st.integers(1, 3),
    channels=st.integers(1, 3), tap=st.integers(1, 3), seed=st.integers(0, 999),
)  # fmt: skip
def test_filters_of_transposed_convolutions(
    dims: int, groups: int, filters: int, channels: int, tap: int, seed: int
) -> None:
    """Without filter f of that view, channel f of the result is zero, and no other changes."""
    torch.manual_seed(seed)
    kind: Any = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[dims - 1]
    model = kind(groups * channels, groups * filters, tap, stride=2, groups=groups, bias=False)
    (layer,) = find_layers(model)
    assert layer.shape == (groups * filters, channels, tap**dims)
    x = torch.randn(1, groups * channels, *[3] * dims)
    expected = model(x).clone()
    gone = seed % layer.shape[0]
    mask = np.ones(layer.shape, np.bool_)
    mask[gone] = False
    assert np.array_equal(layer.array(layer.tensor(mask)), mask)
    layer.weight.data.masked_fill_(~layer.tensor(mask), 0)
    expected[:, gone] = 0
    torch.testing.assert_close(model(x), expected)


class Everything(nn.Module):
    """An image to class scores, through every kind of layer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(1, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 16, 3, stride=2)
        self.down = nn.Conv2d(16, 16, 3, stride=2)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.gru = nn.GRU(16, 16, batch_first=True)
        self.head = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.down(torch.relu(self.up(torch.relu(self.stem(x))))))
        rows = x.flatten(2).transpose(1, 2)
        rows = rows + self.attention(rows, rows, rows, need_weights=False)[0]
        y: Tensor = self.head(self.gru(rows)[0].mean(1))
        return y


EVERY = {
    "up", "down", "attention.in_proj_weight", "attention.out_proj", "gru.weight_ih_l0",
    "gru.weight_hh_l0",
}  # fmt: skip


@pytest.mark.parametrize("method", sorted(METHODS.keys() - {"search"}))  # of convolutions alone
def test_every_method_prunes_every_kind_of_layer(method: str) -> None:
    scheme = "pattern" if method == "halving" else "block_punched(filters=4)"
    torch.manual_seed(0)
    data = [(torch.randn(8, 1, 4, 4), torch.randint(4, (8,))) for _ in range(2)]
    model = Everything()
    options: dict[str, Any] = {"scheme": scheme, "rate": 2.25, "method": method, "epochs": 2}
    pruned = niwaki.prune(model, data, example=data[0][0], progress=False, **options)
    kept = {x.name: float((x.weight != 0).float().mean()) for x in find_layers(pruned)}
    sparse = {name for name, share in kept.items() if share < 0.9}
    assert sparse == ({"up", "down"} if method == "halving" else EVERY)


def test_a_transformer_layer_is_pruned_and_compiled(tmp_path: Path) -> None:
    """The zeros of ``in_proj_weight`` are skipped by kernels, and results are PyTorch's."""
    torch.manual_seed(0)
    model = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True).eval()
    config = PruningConfig("block_punched", 8, include=["*"])
    pruned = niwaki.prune(model, config=config, method="magnitude")
    x = torch.randn(1, 5, 32)
    bundle = niwaki.compile(pruned, x, output=tmp_path / "net.niwaki")
    in_proj = next(layer for layer in bundle.layers if layer.weights == 3 * 32 * 32)
    assert (in_proj.scheme, in_proj.kept) == ("block_punched(8x1)", 3 * 32 * 32 // 8)
    expected = pruned(x).detach().numpy()
    np.testing.assert_allclose(bundle.load()(x.numpy()), expected, rtol=1e-4, atol=1e-5)


def test_a_pruned_transposed_convolution_is_compiled(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.ConvTranspose2d(16, 32, 4, 2, 1, groups=2), nn.Conv2d(32, 2, 3)).eval()
    config = PruningConfig("block_punched", 8, include=["0"])
    pruned = niwaki.prune(model, config=config, method="magnitude")
    x = torch.randn(1, 16, 5, 7)
    bundle = niwaki.compile(pruned, x, output=tmp_path / "net.niwaki")
    first = bundle.layers[0]
    assert (first.scheme, first.kept) == ("block_punched(8x1)", 16 * 16 * 16 // 8)
    expected = pruned(x).detach().numpy()
    np.testing.assert_allclose(bundle.load()(x.numpy()), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["gru", "lstm", "attention", "linear"])
def test_a_network_that_is_one_layer_is_pruned_without_naming_it(kind: str) -> None:
    layers = find_layers(KINDS[kind])
    targets = select(KINDS[kind], PruningConfig("unstructured", 4))
    assert [target.layer.name for target in targets] == [layer.name for layer in layers]


def test_flops_of_attention_and_transposed_convolutions() -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = nn.ConvTranspose1d(4, 8, 3, stride=2, groups=2)
            self.same = nn.MultiheadAttention(8, 2, batch_first=True)
            self.other = nn.MultiheadAttention(8, 2, kdim=4, vdim=6, batch_first=True)

        def forward(self, x: Tensor, keys: Tensor, values: Tensor) -> Tensor:
            y = self.up(x).transpose(1, 2)
            y = self.same(y, key=y[:, :3], value=y[:, :3])[0]
            z: Tensor = self.other(y, keys, values)[0]
            return z

    inputs = torch.zeros(2, 4, 5), torch.zeros(2, 7, 4), torch.zeros(2, 7, 6)
    model = Network()
    rows = 2 * 11  # of the transposed convolution's result
    assert layer_flops(model, find_layers(model), inputs) == {
        "up": 2 * (2 * 5) * 4 * 4 * 3,
        "same.in_proj_weight": 2 * (rows + 2 * 6) * 64,
        "same.out_proj": 2 * rows * 64,
        "other.q_proj_weight": 2 * rows * 64,
        "other.k_proj_weight": 2 * 14 * 8 * 4,
        "other.v_proj_weight": 2 * 14 * 8 * 6,
        "other.out_proj": 2 * rows * 64,
    }


def test_seconds_of_attention_are_shared_and_those_of_a_lone_layer_are_all() -> None:
    network = nn.Sequential(nn.MultiheadAttention(4, 2), nn.Linear(4, 4))
    assert layer_seconds(find_layers(network), {"0": 4.0, "1": 7.0}) == {
        "0.in_proj_weight": 3.0, "0.out_proj": 1.0, "1": 7.0,
    }  # fmt: skip
    times = {"gru": 5.0, "transpose": 1.0}
    assert layer_seconds(find_layers(nn.GRU(8, 8)), times) == {
        "weight_ih_l0": 3.0, "weight_hh_l0": 3.0,
    }  # fmt: skip
    attention = find_layers(nn.MultiheadAttention(4, 2))
    assert layer_seconds(attention, {"linear": 3.0, "bmm": 1.0}) == {
        "in_proj_weight": 3.0, "out_proj": 1.0,
    }  # fmt: skip


def test_what_is_left_out_is_said() -> None:
    model = nn.Sequential(
        nn.Embedding(9, 8), nn.Conv1d(8, 8, 3), nn.Conv1d(8, 8, 3, groups=8), nn.Linear(8, 16),
        nn.LayerNorm(16), nn.Bilinear(2, 3, 4),
        nn.utils.parametrizations.weight_norm(nn.Linear(4, 4)),
        nn.Linear(16, 16), nn.Linear(16, 2),
    )  # fmt: skip
    assert left_out(model, PruningConfig("unstructured", 4, exclude=["3"])) == (
        "1 (first of the network), 2 (depthwise), 3 (excluded), 8 (last of the network), "
        "0.weight (of class Embedding), 5.weight (of class Bilinear), "
        "6.parametrizations.weight.original0, 6.parametrizations.weight.original1 "
        "(computed in each call)"
    )
    assert left_out(nn.Linear(4, 4), PruningConfig("unstructured", 2)) == ""


def test_masked_weights_are_left_out_by_name_and_networks_with_them_are_copied() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4))
    l1_unstructured(model[1], "weight", amount=0.5)
    told = "1.weight_orig (masked: torch.nn.utils.prune.remove makes it a weight)"
    with pytest.raises(NiwakiError) as caught:
        niwaki.prune(model, scheme="unstructured", rate=2, method="magnitude")
    assert f"0 (first of the network), 2 (last of the network), {told}; name" in str(caught.value)
    config = PruningConfig("unstructured", 2, include=["*"])
    pruned = niwaki.prune(model, config=config, method="magnitude", progress=False)
    assert int((pruned.get_parameter("0.weight") == 0).sum()) == 8
    x = torch.ones(1, 4)
    assert torch.equal(pruned[1](x), model[1](x))
