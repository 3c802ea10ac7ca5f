"""The benchmarks' method. What they measure decides nothing here."""

from __future__ import annotations

import json
from pathlib import Path

import machine
import numpy as np
import pytest
import run
import torch
from case import Case, Goal
from contender import Contender
from engines.base import Engine
from engines.niwaki import Niwaki
from engines.pytorch import PyTorch
from figure import Figure
from odd_engines import Absent, CannotLoad, CannotPrepare, NotANumber, Wrong
from race import Result, race, take_turns
from tables import figures_json, goal_lines
from timing import Times, ratio
from workloads import LayerChain, PrunedNetwork, ungrouped_convolutions

TINY = LayerChain(filters=16, size=6, rate=4, depth=2)


def times(*rounds: tuple[float, ...]) -> Times:
    return Times(rounds)


def test_median_and_p10_are_of_all_calls() -> None:
    measured = times((1.0, 3.0), (2.0, 4.0), (100.0, 5.0))
    assert measured.median == 3.5
    assert measured.p10 == 1.5


def test_ratio_of_medians() -> None:
    assert ratio(times((4.0, 8.0)), times((2.0, 1.0))).median == 4.0


def test_spread_does_not_see_a_machine_that_slows_down() -> None:
    fast = times((1.0, 1.0), (2.0, 2.0), (4.0, 4.0))
    slow = times((3.0, 3.0), (6.0, 6.0), (12.0, 12.0))
    found = ratio(slow, fast)
    assert (found.low, found.high) == (3.0, 3.0)


def test_turns_go_forth_and_back() -> None:
    turns: list[str] = []

    class Recorder:
        def __init__(self, name: str) -> None:
            self.name = name

        def time_call(self) -> float:
            turns.append(self.name)
            return float(len(turns))

    measured = take_turns({name: Recorder(name) for name in "abc"}, rounds=2)
    assert "".join(turns) == "abccba" * 2
    assert measured["a"] == times((1.0, 6.0), (7.0, 12.0))
    assert measured["c"] == times((3.0, 4.0), (9.0, 10.0))


def test_goals() -> None:
    results = {
        "ours": Result(0.0, times((1.0, 1.0))),
        "theirs": Result(0.0, times((3.0, 3.0))),
        "absent": Result(problem="not installed"),
    }
    ours = Contender(PyTorch(), TINY)
    goals = (
        Goal("theirs", "ours", at_least=3),
        Goal("theirs", "ours", at_least=3.1),
        Goal("ours", "theirs", at_most=1.1),
        Goal("theirs", "ours", at_most=1.1),
        Goal("absent", "ours", at_least=3),
    )
    lines = goal_lines(Case("case", "title", (ours,), goals), results)
    assert [line.rpartition(": ")[2] for line in lines] == [
        "reached",
        "MISSED",
        "reached",
        "MISSED",
        "not measured",
    ]
    assert lines[0] == "theirs / ours, wanted at least 3: 3.00 (3.00 to 3.00): reached"


def test_figures() -> None:
    figures = [Figure("a", 1.0), Figure("b", 2.0, "s", 2.0), Figure("c", 2.1, "s", 2.0)]
    assert [row["reached"] for row in figures_json("title", figures)["figures"]] == [
        None,
        True,
        False,
    ]


def test_chain_is_pruned_in_blocks_and_the_same_each_time() -> None:
    model, inputs = TINY.build()
    again, _ = TINY.build()
    assert inputs.shape == (2, 16, 6, 6)
    convolutions = ungrouped_convolutions(model)
    assert len(convolutions) == TINY.depth
    for convolution, other in zip(convolutions, ungrouped_convolutions(again), strict=True):
        assert torch.equal(convolution.weight, other.weight)
        kept = convolution.weight.reshape(2, 8, -1) != 0
        assert torch.equal(kept, kept[:, :1].expand_as(kept))
        assert kept.float().mean() == 1 / 4


def test_first_depthwise_and_last_layers_stay_dense() -> None:
    model, _ = PrunedNetwork("mobilenet_v2", rate=8, size=32).build()
    layers = [m for m in model.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))]
    for layer in layers:
        kept = (layer.weight != 0).float().mean().item()
        pointwise = isinstance(layer, torch.nn.Conv2d) and layer.kernel_size == (1, 1)
        assert kept == pytest.approx(1 / 8 if pointwise else 1, rel=0.1)


def test_engines_are_raced_in_processes_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    contenders = (Contender(Niwaki(), TINY), Contender(PyTorch(), TINY))
    goals = (Goal(contenders[1].label, contenders[0].label, at_least=1),)
    case = Case("tiny", "a tiny chain", contenders, goals, layers=2)
    run.measure_case(case, rounds=2, core=machine.last_core(), reuse=False)

    assert "a tiny chain" in capsys.readouterr().out
    written = json.loads((tmp_path / run.FOLDER / "tiny.json").read_text(encoding="utf-8"))
    assert [row["label"] for row in written["contenders"]] == ["Niwaki, 4x", "PyTorch, 4x"]
    for row in written["contenders"]:
        assert row["error"] < 1e-5
        assert np.shape(row["rounds"]) == (2, 2)
        assert np.min(row["rounds"]) > 0
    assert written["goals"][0]["measured"]["median"] > 0


def test_engines_that_fail_are_reported_and_not_timed(tmp_path: Path) -> None:
    engines: tuple[Engine, ...] = (Absent(), CannotPrepare(), CannotLoad(), Wrong(), NotANumber())
    contenders = [Contender(engine, TINY) for engine in engines]
    results = race(contenders, tmp_path, 1, machine.last_core(), reuse=False)
    assert {label: result.problem for label, result in results.items()} == {
        "Absent, 4x": "not installed: run `make bench`",
        "CannotPrepare, 4x": "ValueError: no such operator",
        "CannotLoad, 4x": "OSError: the file is damaged",
        "Wrong, 4x": "wrong results, so not timed",
        "NotANumber, 4x": "wrong results, so not timed",
    }
    assert all(result.times is None for result in results.values())
