"""The example that searches encoders of questions: sizes, shared weights, costs, and the way on."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest
import torch
from bert import WORDS
from search import text, text_costs
from search.text_costs import EncoderCosts, encoder_costs, measured
from search.text_networks import (
    HEADS,
    LARGE,
    SMALL,
    WIDE,
    WIDTHS,
    Sizes,
    batches,
    drawn,
    fit_shared,
    heir,
    sizes_of,
)
from torch import Tensor

from niwaki.costs.observation import CALL, Observation, Took
from niwaki.studies import Point

POINT: Point = {"layers": 1, "width": 32, "heads1": 1, "wide1": 64}


pytestmark = pytest.mark.usefixtures("one_thread")


def made_up(count: int) -> tuple[Tensor, Tensor]:
    """Questions whose first word tells the kind."""
    torch.manual_seed(0)
    kinds = torch.arange(count) % 6
    words = torch.randint(10, WORDS, (count, 5))
    words[:, 0] = kinds + 2
    return words, kinds


def by_size() -> EncoderCosts:
    """Costs that follow sizes, without measuring."""
    return EncoderCosts(
        {f"{width}": 0.01 for width in WIDTHS},
        {f"{width}x{heads}": 1e-4 * width * heads for width in WIDTHS for heads in HEADS},
        {f"{width}x{wide}": 1e-6 * width * wide for width in WIDTHS for wide in WIDE},
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> text.Lab:
    folder = tmp_path_factory.mktemp("text")
    return text.make_lab(*made_up(240), folder, by_size(), text.Steps(60, 30, 2, 20))


def test_points() -> None:
    point: Point = {"layers": 2, "width": 64, "heads1": 1, "heads2": 3, "heads3": 4, "wide1": 128,
             "wide2": 64, "wide3": 512}  # fmt: skip
    assert sizes_of(point) == Sizes(64, (1, 3), (128, 64))
    generator = random.Random(0)
    for _ in range(20):
        sizes = drawn(generator)
        assert sizes.width in WIDTHS
        assert set(sizes.heads) <= set(HEADS)
        assert set(sizes.wide) <= set(WIDE)


def test_a_part_as_large_as_the_whole_is_the_whole() -> None:
    large, (words, _) = LARGE.build().eval(), made_up(6)
    with torch.no_grad():
        torch.testing.assert_close(heir(large, LARGE).eval()(words), large(words))


def test_shared_weights_learn_all_sizes() -> None:
    """One step changes what the small network has of the large one's weights, and the rest."""
    torch.manual_seed(0)
    words, kinds = made_up(12)
    large = LARGE.build()
    before = large.layers[0].wide.weight.detach().clone()
    targets = torch.nn.functional.one_hot(kinds, 6).float()
    fit_shared(large, words, targets, 1)
    changed = (large.layers[0].wide.weight.detach() != before).double()
    assert changed[: SMALL.wide[0], : SMALL.width].mean() > 0.9
    assert changed[-1, -1] == 1


def test_batches_are_of_similar_lengths() -> None:
    torch.manual_seed(0)
    words = torch.randint(10, WORDS, (512, 32))
    for row, length in zip(words, torch.randint(2, 32, (512,)).tolist(), strict=True):
        row[length:] = 0
    found = [part for part, _ in batches(words, torch.arange(512), 8)]
    assert len(found) == 8
    assert min(part.shape[1] for part in found) < 8
    assert sum(len(part) for part in found) == 512


def test_what_is_trained_is_kept(lab: text.Lab, tmp_path: Path) -> None:
    """And a study of the same seed finds the same."""
    steps = text.Steps(2, 1, 1, 1)
    first = text.make_lab(*made_up(24), tmp_path, by_size(), steps)
    again = text.make_lab(*made_up(24), tmp_path, by_size(), dataclasses.replace(steps, large=99))
    for one, other in zip(first.shared.parameters(), again.shared.parameters(), strict=True):
        assert torch.equal(one, other)
    assert lab.evaluate(lab.train(POINT)) == lab.evaluate(lab.train(POINT))


def test_comparison_and_report(
    lab: text.Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """From a search by two trials to the found network, compiled."""
    monkeypatch.setattr(text, "SAMPLERS", ["controller"])
    best = text.compare(lab, 0.03, 2, [0], tmp_path)
    assert sum(lab.milliseconds(best).values()) <= 0.03
    assert lab.describe(best)[0][0] == "layer1"
    _, row, average = capsys.readouterr().out.splitlines()
    assert row.startswith("controller | 0 | ")
    assert average.startswith("controller | mean | ")
    monkeypatch.setattr(text, "LENGTHS", [16])
    monkeypatch.setattr(text, "in_onnxruntime", lambda network: None)  # as where it is missing
    small = dataclasses.replace(lab, large=SMALL.build().eval())
    text.report(small, best, made_up(12), tmp_path)
    assert "found, Niwaki | 100.0%" in capsys.readouterr().out


def made_observation(sizes: Sizes) -> Observation:
    """What a network whose parts take their sizes, in ms, would be measured to take."""
    layers, others = {"head": Took("matvec", 1.0, 1e-3)}, {CALL: 5e-3, "add": sizes.width * 1e-3}
    for n, (heads, wide) in enumerate(zip(sizes.heads, sizes.wide, strict=True)):
        layers[f"layers.{n}.query"] = Took("matvec", 1.0, heads * 1e-3)
        layers[f"layers.{n}.wide"] = Took("matvec", 1.0, wide * 1e-3)
        others[f"layers.{n}.before_attention"] = others[f"layers.{n}.before_words"] = 1e-3
        others[CALL] += 2e-3
    return Observation(layers, others)


def test_measured_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network costs what its parts do, and they are measured once."""
    monkeypatch.setattr(text_costs, "observed", made_observation)
    costs = measured()
    for sizes in (SMALL, LARGE, Sizes(64, (3, 1, 2), (448, 64, 64))):
        parts = costs.parts(sizes)
        assert list(parts)[:2] == ["ends", "layer1"]
        assert sum(parts.values()) == pytest.approx(1e3 * made_observation(sizes).seconds)
    assert encoder_costs(tmp_path / "costs.json") == costs
    monkeypatch.delattr(text_costs, "observed")
    assert encoder_costs(tmp_path / "costs.json") == costs
