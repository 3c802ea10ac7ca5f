"""SVCCA between networks: which activations are compared, and what is said of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from unit.pruning.tiny_task import images, loader, network

from niwaki.errors import NiwakiError
from niwaki.pruning.analysis import Similarity, compare, similarity, svcca
from niwaki.pruning.analysis.activations import layer_outputs


def inputs(count: int = 40) -> tuple[Tensor, ...]:
    return images(count, 3)[0].split(20)


def test_equal_networks_are_alike() -> None:
    rows = compare(network(), {"same": network()}, inputs(80))
    assert [row.layer for row in rows] == ["0", "2", "6", "10"]
    for row in rows:
        assert row.similarity == pytest.approx(1, abs=1e-9)
        assert (row.network, row.remark) == ("same", "")
        assert row.dense_directions == row.directions


def test_convolutions_have_a_sample_at_each_position() -> None:
    dense, other = network(0), network(1)
    x = torch.cat(inputs())
    rows = compare(dense, {"other": other}, inputs(), samples=10**6)
    assert [row.samples for row in rows] == [40 * 144, 40 * 144, 40 * 36, 40]
    with torch.no_grad():
        features = [
            model.eval()[0](x).permute(0, 2, 3, 1).reshape(-1, 8).numpy()
            for model in (dense, other)
        ]
    expected = svcca(*features)
    assert rows[0].similarity == pytest.approx(expected.mean, abs=1e-6)
    assert (rows[0].dense_directions, rows[0].directions) == (expected.first, expected.second)


def test_permuted_filters_are_the_same_network() -> None:
    dense, permuted = network(0), network(0)
    order = torch.randperm(8)
    with torch.no_grad():
        permuted[0].weight.copy_(dense[0].weight[order])
        permuted[0].bias.copy_(dense[0].bias[order])
        permuted[2].weight.copy_(dense[2].weight[:, order])
    for row in compare(dense, {"permuted": permuted}, inputs(80)):
        assert row.similarity == pytest.approx(1, abs=1e-6)


def test_positions_are_drawn_and_the_same_in_each_run() -> None:
    """Also in all networks, or equal ones would differ."""
    networks = {"same": network(0), "other": network(1)}
    rows = compare(network(0), networks, inputs(), samples=300)
    assert [row.samples for row in rows if row.network == "same"] == [300, 300, 300, 40]
    for row in rows:
        assert row.network == "other" or row.similarity == pytest.approx(1, abs=1e-6)
    assert rows == compare(network(0), networks, inputs(), samples=300)


def test_data_that_is_shuffled() -> None:
    """Each batch goes through all networks."""
    for row in compare(network(), {"same": network()}, loader(64)):
        assert row.similarity == pytest.approx(1, abs=1e-6)


def test_features_beyond_memory_take_more_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = compare(network(0), {"other": network(1)}, inputs())
    calls: list[list[str]] = []
    collect = layer_outputs

    def counted(models: Any, layers: list[str], *rest: Any) -> Any:
        calls.append(layers)
        return collect(models, layers, *rest)

    monkeypatch.setattr(similarity, "layer_outputs", counted)
    monkeypatch.setattr(similarity, "MEMORY", 4 * 4096 * 2 * 24)
    assert compare(network(0), {"other": network(1)}, inputs()) == expected
    assert calls == [["0", "2"], ["6", "10"]], "8 + 16 features, 16 + 4"


def test_networks_stay_as_they_are() -> None:
    models = [network(0).train(), network(1).train()]
    models[0][3].eval()  # a batch-norm that is frozen
    before = [deepcopy(model.state_dict()) for model in models]
    compare(models[0], {"other": models[1]}, inputs())
    assert models[0][2].training
    assert not models[0][3].training
    for model, state in zip(models, before, strict=True):
        assert all(not module._forward_hooks for module in model.modules())
        for name, value in model.state_dict().items():
            assert torch.equal(value, state[name]), name


class Recurrent(nn.Module):
    def __init__(self, hidden: int = 6) -> None:
        super().__init__()
        self.gru = nn.GRU(5, hidden, batch_first=True, bidirectional=True)
        self.unused = nn.Linear(3, 3)
        self.head = nn.Linear(2 * hidden, 2)

    def forward(self, x: Tensor, scale: Tensor) -> Tensor:
        sequence, _ = self.gru(x)
        result: Tensor = self.head(sequence[:, -1] * scale[:, None])
        return result


def test_recurrent_networks_of_several_inputs() -> None:
    torch.manual_seed(0)
    x, scale = torch.randn(60, 7, 5), torch.rand(60) + 1
    dense, wider = Recurrent(), Recurrent(9)
    rows = compare(dense, {"same": dense, "wider": wider}, [((x, scale), None)])
    assert [(row.layer, row.network, row.samples) for row in rows] == [
        ("gru", "same", 420), ("gru", "wider", 420), ("head", "same", 60), ("head", "wider", 60),
    ]  # fmt: skip
    assert rows[0].similarity == pytest.approx(1, abs=1e-9), "modules may be shared"
    assert rows[1].similarity is not None
    assert rows[1].similarity < 0.95
    assert rows[1].directions > rows[1].dense_directions


@pytest.mark.parametrize(
    ("make", "shape", "samples"),
    [
        (lambda: nn.Conv1d(2, 4, 3), (5, 2, 9), 5 * 7),
        (lambda: nn.Conv3d(2, 4, 2), (5, 2, 3, 3, 3), 5 * 8),
        (lambda: nn.Conv2d(2, 4, 2), (2, 4, 4), 9),
        (lambda: nn.LSTM(3, 4), (6, 5, 3), 30),
        (lambda: nn.LSTMCell(3, 4), (6, 3), 6),
        (lambda: nn.Linear(3, 4), (5, 2, 3), 10),
    ],
)
def test_kinds_of_layers(
    make: Callable[[], nn.Module], shape: tuple[int, ...], samples: int
) -> None:
    torch.manual_seed(0)
    layer = make()
    (row,) = compare(layer, {"same": layer}, torch.randn(shape))
    assert row.samples == samples
    assert row.similarity == pytest.approx(1, abs=1e-6)


def test_dead_layers_are_told() -> None:
    dead = network(0)
    with torch.no_grad():
        dead[2].weight.zero_()
    (row,) = compare(network(0), {"dead": dead}, inputs(), layers=["2"])
    assert (row.similarity, row.directions) == (None, 0)
    assert row.remark == "dead in dead: the outputs are the same for all inputs"


def test_dead_filters_do_not_count() -> None:
    pruned = network(0)
    with torch.no_grad():
        pruned[6].weight[4:] = 0
    row = compare(network(0), {"pruned": pruned}, inputs(80), layers=["6"])[0]
    assert row.directions <= 4
    assert row.similarity == pytest.approx(1, abs=0.05), "what is left says the same"


def test_few_samples_are_told() -> None:
    row = compare(network(0), {"other": network(1)}, inputs(), layers=["6"], samples=20)[0]
    sizes = (row.dense_directions, row.directions)
    assert row.chance == pytest.approx(np.sqrt(max(sizes) / 19))
    assert row.remark == (
        f"20 samples are few for {sizes[0]} and {sizes[1]} directions: features with nothing in "
        f"common reach {row.chance:.2f}; give more inputs, or samples"
    )
    assert compare(network(0), {"other": network(1)}, inputs(), layers=["6"])[0].remark == ""


def broken() -> nn.Module:
    model = network(0)
    with torch.no_grad():
        model[2].weight.fill_(torch.nan)
    return model


def strided() -> nn.Module:
    model = network(0)
    model[0].stride = (2, 2)
    return model


@pytest.mark.parametrize(
    ("networks", "options", "message"),
    [
        ({}, {}, "give networks to compare with the dense one, by other names than dense"),
        ({"dense": network()}, {}, "give networks to compare with the dense one"),
        ({"a": network()}, {"samples": 1}, "SVCCA needs 2 samples or more, not 1"),
        ({"a": network()}, {"layers": ["c*"]}, "'c*' matches no layer: there are 0, 2, 6, 10"),
        ({"a": network()}, {"layers": "0"}, "layers is a list of layers: ['0'], not '0'"),
        ({"a": network()}, {"variance": 2}, "0 of dense: the variance to keep is above 0"),
        ({"a": network()[:6]}, {}, "6: a has no such layer: compare networks whose layers have"),
        ({"a": strided()}, {}, "0: gives features at 20x6x6 positions in a and at 20x12x12 "),
        ({"a": broken()}, {"layers": ["2"]}, "2 of a: SVCCA compares finite features, and some"),
        ({"a": network()}, {"batches": []}, "there are no inputs to compare networks on: give"),
        ({"a": network()}, {"batches": iter(())}, "the number of batches must be known: give"),
        ({"a": network()}, {"batches": [[torch.ones(1)]]}, "and not list of 1"),
        ({"a": network()}, {"batches": [3]}, "several inputs in a tuple, and not int"),
    ],
)  # fmt: skip
def test_wrong_use(networks: dict[str, nn.Module], options: dict[str, Any], message: str) -> None:
    batches = options.pop("batches", inputs())
    with pytest.raises(NiwakiError, match=re.escape(message)):
        compare(network(), networks, batches, **options)


def test_nothing_is_called() -> None:
    model = Recurrent()
    example = [((torch.ones(2, 3, 5), torch.ones(2)), None)]
    with pytest.raises(NiwakiError, match=r"^the networks call none of these layers: there is"):
        compare(model, {"same": model}, example, layers=["unused"])


def test_sample_counts_of_uneven_batches() -> None:
    data = DataLoader(TensorDataset(*images(50, 1)), batch_size=32)
    row = compare(network(), {"same": network()}, data, layers=["10"])[0]
    assert row == Similarity("10", "same", row.similarity, row.chance, 50, row.directions,
                             row.directions)  # fmt: skip
