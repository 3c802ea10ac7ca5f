"""The example that searches networks of super-resolution: sizes, weights, costs, the way on."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from image_pairs import Pair, pair_of
from search import super_resolution, super_resolution_costs
from search.super_resolution import (
    FOUND,
    Lab,
    Rates,
    Steps,
    by_hand,
    leaders,
    make_lab,
    report,
    searched,
    winner,
)
from search.super_resolution_costs import NetworkCosts, measured, network_costs
from search.super_resolution_networks import (
    LARGE,
    MOST_BLOCKS,
    NOMINAL,
    RATES,
    WIDE,
    WIDTHS,
    Block,
    Sizes,
    drawn,
    rates_space,
    sizes_of,
    with_rates,
)
from search.super_resolution_training import (
    fit_shared,
    heir,
    inherited,
    pruned,
    quality,
    start_as_bicubic,
)
from torch import nn

from niwaki.costs.trials import fits
from niwaki.layer_costs import LayerForm, Setting
from niwaki.studies import Point, Results, Trial

pytestmark = pytest.mark.usefixtures("one_thread")

POINT: Point = {"width": 8, "blocks": 2, "wide1": 16, "scheme1": "block_punched",
                "wide2": 32, "scheme2": "dense", "wide3": 64}  # fmt: skip
SIZES = Sizes(8, (Block(16, "block_punched", NOMINAL), Block(32)))


def images(count: int) -> list[Pair]:
    """Waves of several directions."""
    y, x = np.mgrid[:56, :64]
    waves = [np.sin((x * n + y * (count - n)) / (2 * count)) for n in range(1, count + 1)]
    return [pair_of((120 + 100 * np.stack([w] * 3, 2)).astype(np.uint8), 2) for w in waves]


class MadeUp:
    """Costs of a network's layers: a nanosecond for each weight that is kept."""

    def __init__(self, network: nn.Module) -> None:
        self.layers = {
            name: LayerForm(layer.out_channels, layer.in_channels, layer.weight[0, 0].numel())
            for name, layer in network.named_modules()
            if isinstance(layer, nn.Conv2d)
        }

    def seconds(self, layer: str, setting: Setting) -> float:
        form = self.layers[layer]
        return 1e-9 * form.weights / setting.rate if fits(setting, form) else float("inf")

    def network(self, settings: Mapping[str, Setting]) -> float:
        return 1e-6 + sum(self.seconds(name, settings.get(name, Setting())) for name in self.layers)


@contextmanager
def made_up(network: nn.Module, example: torch.Tensor, schemes: Sequence[str]) -> Iterator[MadeUp]:
    """In the place of `priced`."""
    yield MadeUp(network)


@pytest.fixture(scope="module")
def costs() -> Iterator[NetworkCosts]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(super_resolution_costs, "priced", made_up)
        yield measured()


@pytest.fixture(scope="module")
def lab(costs: NetworkCosts, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return make_lab(images(3), tmp_path_factory.mktemp("lab"), costs, 0.02, Steps(3, 2, 4))


def test_points() -> None:
    assert sizes_of(POINT) == SIZES
    assert str(SIZES) == "8 channels, blocks 16 block_punched 8x, 32"
    assert list(rates_space(SIZES)) == ["rate1"]
    rated = with_rates(SIZES, {"rate1": 6.0})
    assert rated.blocks == (Block(16, "block_punched", 6.0), SIZES.blocks[1])
    generator = random.Random(0)
    for _ in range(20):
        sizes = drawn(generator)
        assert sizes.width in WIDTHS
        assert 1 <= len(sizes.blocks) <= MOST_BLOCKS
        assert all(one.wide in WIDE for one in sizes.blocks)


def test_networks_by_hand() -> None:
    assert by_hand("B16x2") == Sizes(16, (Block(96),) * 2, "B")
    assert by_hand("A8x3-6x") == Sizes(8, (Block(32, "block_punched", 6.0),) * 3)


def test_a_part_as_large_as_the_whole_is_the_whole() -> None:
    large, image = LARGE.build().eval(), torch.rand(1, 3, 9, 11)
    with torch.no_grad():
        torch.testing.assert_close(heir(large, LARGE)(image), large(image))


def test_networks_start_as_bicubic_ones() -> None:
    """A ramp stays one, but for what the blocks add; these are silent here."""
    network = start_as_bicubic(SIZES.build())
    nn.init.zeros_(network.tail.weight)
    ramp = torch.linspace(0, 1, 16).expand(1, 3, 16, 16)
    with torch.no_grad():
        inner = network(ramp)[..., 4:-4, 4:-4]
    wanted = (torch.arange(4, 28) / 2 - 0.25) / 15
    torch.testing.assert_close(inner, wanted.expand_as(inner))
    assert quality(network, images(1))[0] > 35


def test_shared_weights_learn() -> None:
    torch.manual_seed(0)
    before = start_as_bicubic(LARGE.build())
    torch.manual_seed(0)
    generator = random.Random(0)
    after = fit_shared(images(2), 2, lambda: drawn(generator))
    for name, weight in after.named_parameters():
        if name.startswith(("head", "tail", "skip", "body.0")):
            assert (weight != before.get_parameter(name)).any(), name


def test_shared_weights_are_pruned_while_they_learn() -> None:
    """Those of the blocks that are; gradients reach what stays, and nothing else."""
    large = LARGE.build()
    weights = pruned(inherited(large, SIZES.build()), SIZES)
    for name, share in (("body.0.widen", 1 / NOMINAL), ("body.0.narrow", 1 / NOMINAL),
                        ("body.1.widen", 1), ("body.1.narrow", 1)):  # fmt: skip
        weight = weights[f"{name}.weight"]
        assert float((weight != 0).double().mean()) == pytest.approx(share, abs=0.02), name
        weight.sum().backward()
        rows, columns = weight.shape[:2]
        gradient = large.get_parameter(f"{name}.weight").grad
        assert gradient is not None
        assert torch.equal(gradient[:rows, :columns] != 0, weight != 0), name


def test_networks_are_pruned_as_points_say(lab: Lab) -> None:
    network = lab.train({**POINT, "blocks": 3, "scheme3": "pattern"})
    kept = {
        name: float((layer.weight != 0).double().mean())
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Conv2d)
    }
    sparse = {name for name, share in kept.items() if share < 0.5}
    assert sparse == {f"body.{n}.{name}" for n in (0, 2) for name in ("widen", "narrow")}
    again = lab.train({**POINT, "blocks": 3, "scheme3": "pattern"})
    assert lab.evaluate(network) == lab.evaluate(again)


def test_costs(costs: NetworkCosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network costs what its layers do, and they are measured once."""
    generator = random.Random(0)
    for _ in range(5):
        sizes = drawn(generator)
        dense_blocks = tuple(Block(block.wide) for block in sizes.blocks)
        told, network = costs.parts(replace(sizes, blocks=dense_blocks)), MadeUp(sizes.build())
        assert list(told)[:2] == ["ends", "block1"]
        assert sum(told.values()) == pytest.approx(1e3 * network.network({}))
    pruned = costs.parts(SIZES)["block1"]
    dense = costs.parts(Sizes(8, (Block(16),)))["block1"]
    assert pruned == pytest.approx(dense / NOMINAL)
    monkeypatch.setattr(super_resolution_costs, "priced", made_up)
    assert network_costs(tmp_path / "costs.json") == costs
    monkeypatch.delattr(super_resolution_costs, "priced")
    assert network_costs(tmp_path / "costs.json") == costs


def test_rates_are_searched_within_the_limit(lab: Lab) -> None:
    sizes = Sizes(8, (Block(16, "block_punched", NOMINAL),) * 2)
    limit = 0.95 * sum(lab.costs.parts(sizes).values())
    found = Rates(lab, sizes).search(limit, trials=2)
    assert sum(lab.costs.parts(found).values()) <= limit
    assert {block.rate for block in found.blocks} <= set(RATES)
    dense = Sizes(8, (Block(16),))
    assert Rates(lab, dense).search(1.0, trials=2) == dense


def test_leaders_are_the_best_networks() -> None:
    """Each once: what a point says of blocks that there are none does not count."""

    def trial(number: int, score: float, ms: float, **point: Any) -> Trial:
        return Trial(number, {**POINT, **point}, {"ms": ms}, {"PSNR": score}, "", 1.0, ms <= 1)

    results = Results(
        (
            trial(0, 30.0, 0.5),
            trial(1, 31.0, 0.5, width=16),
            trial(2, 31.5, 0.5, width=16, wide3=16),
            trial(3, 32.0, 2.0, blocks=1),
            trial(4, 29.0, 0.5, wide1=32),
        ),
        0,
        {"ms": 1.0},
    )
    wanted = [replace(SIZES, width=16), SIZES]
    assert leaders(results, 2) == wanted
    assert leaders(results, 9)[:2] == wanted
    assert len(leaders(results, 9)) == 3


def test_the_winner_is_judged_when_it_is_trained(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finalists = [Sizes(8, (Block(wide),)) for wide in (16, 32, 48)]
    scores = iter([30.0, 32.0, 31.0])
    monkeypatch.setattr(super_resolution, "quality", lambda *_: (next(scores), 0.9))
    won = winner(lab, finalists, 0, tmp_path)
    second = super_resolution.trained(lab, f"{FOUND}-2", finalists[1], 0, tmp_path)
    for first, other in zip(won.parameters(), second.parameters(), strict=True):
        assert torch.equal(first, other)


def test_from_a_search_to_a_report(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By two trials; what is trained is kept, and the found network compiled."""
    found = searched(lab, 0.008, 2, 0, tmp_path, 1, 2)
    assert "blocks-0.008-0.sqlite" in [file.name for file in tmp_path.iterdir()]
    assert all(sum(lab.costs.parts(sizes).values()) <= 0.008 for sizes in found)
    networks: dict[str, Any] = {FOUND: found[0], "by-hand-B8x1": by_hand("B8x1")}
    for name, one in networks.items():
        networks[name] = [super_resolution.trained(lab, name, one, 0, tmp_path)]
        again = super_resolution.trained(lab, name, one, 0, tmp_path)
        for first, second in zip(networks[name][0].parameters(), again.parameters(), strict=True):
            assert torch.equal(first, second)
    monkeypatch.setattr(super_resolution, "SMALL_IMAGE", (1, 3, 24, 32))
    monkeypatch.setattr(super_resolution, "CALLS", 1)
    monkeypatch.setattr(super_resolution, "in_onnxruntime", lambda *_: None)  # as if missing
    report(networks, {"waves": images(1)}, tmp_path)
    told = capsys.readouterr().out
    assert "found, Niwaki | " in told
    assert "by-hand-B8x1 | waves | PSNR " in told
