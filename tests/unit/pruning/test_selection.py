"""Which layers are pruned, from Python and from YAML."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from niwaki.errors import NiwakiError
from niwaki.pruning import LayerRule, Masks, PruningConfig, find_layers, load_config, select


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 3),
        nn.Conv2d(16, 16, 3, groups=2),
        nn.Conv2d(16, 32, 1),
        nn.Conv2d(32, 32, 3),
        nn.Linear(32, 10),
    )


def chosen(config: PruningConfig) -> dict[str, tuple[str, float]]:
    return {t.layer.name: (t.scheme.name, t.rate) for t in select(network(), config)}


def test_all_layers_that_fit_but_first_and_last() -> None:
    assert chosen(PruningConfig("pattern", 8)) == {"1": ("pattern", 8), "3": ("pattern", 8)}
    assert list(chosen(PruningConfig("block_punched", 4))) == ["1", "2", "3"]


def test_depthwise_convolutions_only_if_they_are_named() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.Conv2d(16, 32, 3, groups=16), nn.Conv2d(32, 32, 1), nn.Linear(32, 2)
    )
    names = [[t.layer.name for t in select(model, PruningConfig("unstructured", 4, include=i))]
             for i in (None, ["1"], ["*"])]  # fmt: skip
    assert names == [["2"], ["1"], ["0", "1", "2", "3"]]


def test_rules_the_last_decides() -> None:
    config = PruningConfig(
        "pattern",
        8,
        [LayerRule(["*"], "unstructured"), LayerRule(["type:Conv2d"], "filter", 2),
         LayerRule(["[13]"], "pattern")],
        exclude=["0"],
    )  # fmt: skip
    assert chosen(config) == {
        "1": ("pattern", 8), "2": ("filter", 2), "3": ("pattern", 8), "4": ("unstructured", 8),
    }  # fmt: skip


def test_include_says_all() -> None:
    assert list(chosen(PruningConfig("unstructured", 8, include=["0", "type:Linear"]))) == [
        "0",
        "4",
    ]


def test_recurrent_and_shared_weights_have_names() -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru = nn.GRU(8, 16)
            self.first, self.second = nn.Linear(16, 16), nn.Linear(16, 16)
            self.second.weight = self.first.weight

    layers = {layer.name: layer for layer in find_layers(Network())}
    assert list(layers) == ["gru.weight_ih_l0", "gru.weight_hh_l0", "first"]
    assert layers["gru.weight_ih_l0"].shape == (48, 8, 1)
    assert len(layers["first"].owners) == 2
    (single,) = find_layers(nn.Linear(4, 2))
    assert single.name == ""


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (PruningConfig(exclude=["fc*"]), r"^'fc\*' matches no layer: there are 0, 1, 2, 3, 4$"),
        (PruningConfig(include=["type:LSTM"]), "^'type:LSTM' matches no layer"),
        (PruningConfig(layers=[LayerRule(["9"])]), "^'9' matches no layer"),
        (PruningConfig(include="1"), r"^include is a list of layers: \['1'\], not '1'$"),
        (
            PruningConfig(exclude=[2]),  # type: ignore[list-item]
            "^exclude names layers by text, in quotes: '2', not 2$",
        ),
        (PruningConfig("pattern", include=["2"]), "^2: patterns of 4 taps need kernels with more"),
        (
            PruningConfig(layers=[LayerRule(["0"], "filter", 40)]),
            "^0: filter at a rate of 40",
        ),
        (PruningConfig(rate=0.5), "^a pruning rate is at least 1 .* not 0.5$"),
        (PruningConfig(rate=True), "^a pruning rate is a number, as 8, not True$"),
        (PruningConfig("filter", 1000), "^no layer is left to prune to filter at a rate of 1000"),
        (PruningConfig("bonsai"), "^unknown pruning scheme 'bonsai'"),
    ],
)
def test_configurations_that_do_not_fit(config: PruningConfig, message: str) -> None:
    with pytest.raises(NiwakiError, match=message):
        select(network(), config)


def test_yaml(tmp_path: Path) -> None:
    path = tmp_path / "pruning.yaml"
    path.write_text(
        "scheme: block_punched(filters=4)\nrate: 4\nexclude: ['2']\n"
        "layers:\n  - match: ['3']\n    scheme: pattern\n    rate: 8\n"
    )
    assert chosen(load_config(path)) == {"1": ("block_punched", 4), "3": ("pattern", 8)}


def test_numbers_of_yaml_and_numpy(tmp_path: Path) -> None:
    """1e-4 is text to YAML."""
    path = tmp_path / "pruning.yaml"
    path.write_text("budget: latency\ntimes: {'1': 1e-4, '2': 1e-4, '3': 2e-4}\n")
    rate: Any = np.float32(2)
    targets = select(network(), replace(load_config(path), rate=rate))
    assert [(t.rate, t.cost) for t in targets] == [
        (2, seconds / t.layer.weight.numel())
        for t, seconds in zip(targets, (1e-4, 1e-4, 2e-4), strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rate: [", "no YAML: expected the node content, but found '<stream end>', line 1$"),
        ("8", "expected keys scheme, rate, layers, include, exclude, budget, times, not 8"),
        ("rates: 8", "unknown key 'rates': choose from scheme, rate, layers, include, exclude"),
        ("exclude: fc", "exclude is a list, not 'fc'"),
        ("layers: {fc: 8}", "layers is a list, not {'fc': 8}"),
        ("layers: [{rate: 8}]", r"each entry of layers needs match: \[names or type:Class\]"),
        ("layers: [{match: fc}]", "match is a list, not 'fc'"),
        ("scheme: {pattern: 4}", r"scheme is text as in pattern\(taps=4\), not {'pattern': 4}"),
        ("rate: eight", "a pruning rate is a number, as 8, not 'eight'"),
    ],
)
def test_yaml_that_says_nothing(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "pruning.yaml"
    path.write_text(text)
    with pytest.raises(NiwakiError, match=f"^{path}: {message}"):
        load_config(path)


def test_no_yaml_file(tmp_path: Path) -> None:
    with pytest.raises(NiwakiError, match=r"none\.yaml: cannot be read: No such file"):
        load_config(tmp_path / "none.yaml")


def test_masks_hold_against_momentum_and_modules_that_run_twice() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(4, 4)
    optimiser = torch.optim.SGD(layer.parameters(), 0.1, momentum=0.9)
    layer(layer(torch.randn(2, 4))).sum().backward()
    optimiser.step()
    (found,) = find_layers(layer)
    masks = Masks(layer, {"fc": found})
    mask = torch.eye(4, dtype=torch.bool)
    masks.set({"fc": mask})
    assert masks.kept() == {"fc": (4, 16)}
    for _ in range(2):
        y = layer(layer(torch.randn(2, 4)))
        assert bool((layer.weight[~mask] == 0).all())
        assert bool((layer.weight[mask] != 0).all())
        optimiser.zero_grad()
        y.sum().backward()
        optimiser.step()
    masks.remove_hooks()
    assert not layer._forward_pre_hooks


def test_masks_hold_where_a_module_is_never_called() -> None:
    attention = nn.MultiheadAttention(4, 2)
    layers = {layer.name: layer for layer in find_layers(attention)}
    masks = Masks(attention, layers)
    mask = torch.eye(4, dtype=torch.bool)
    masks.set({"out_proj": mask})
    attention.out_proj.weight.data += 1
    x = torch.randn(3, 1, 4)
    attention(x, x, x)
    assert bool((attention.out_proj.weight[~mask] == 0).all())
