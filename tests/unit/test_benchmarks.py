"""The benchmarks' method. What they measure decides nothing here."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import machine
import masks
import numpy as np
import peers
import pytest
import run
import torch
from case import Case, Goal
from contender import Contender
from engines.base import Engine
from engines.deepsparse import DeepSparse
from engines.mnn import MnnSparse
from engines.niwaki import Niwaki
from engines.pytorch import PyTorch
from figure import Figure
from odd_engines import (
    Absent,
    CannotLoad,
    CannotPrepare,
    Dies,
    Elsewhere,
    NotANumber,
    OneResult,
    Rough,
    Wrong,
)
from overview import goal_text, overview_table
from race import Result, race, take_turns
from tables import figures_json, goal_lines
from timing import Times, ratio
from worker import Worker, WorkerError
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
        Goal(("theirs",), "ours", at_least=3),
        Goal(("theirs",), "ours", at_least=3.1),
        Goal(("ours",), "theirs", at_most=1.1),
        Goal(("theirs",), "ours", at_most=1.1),
        Goal(("absent",), "ours", at_least=3),
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


RIVALS = {
    "ours, 8x": Result(0.0, times((1.0, 1.0))),
    "slow, 8x": Result(0.0, times((4.0, 4.0))),
    "fast, 8x": Result(0.0, times((3.0, 3.0))),
    "absent, 8x": Result(problem="not installed"),
}


def test_the_fastest_of_several_counts() -> None:
    goals = (
        Goal(("slow, 8x", "fast, 8x", "absent, 8x"), "ours, 8x", at_least=3.1),
        Goal(("absent, 8x", "absent, 8x"), "ours, 8x", at_least=3),
    )
    case = Case("case", "title", (Contender(PyTorch(), TINY),), goals)
    assert goal_lines(case, RIVALS) == [
        "fast, 8x (fastest of 2) / ours, 8x, wanted at least 3.1: 3.00 (3.00 to 3.00): MISSED",
        "none (fastest of 0) / ours, 8x, wanted at least 3: not measured",
    ]
    assert goal_text(goals[0], RIVALS) == "3.00 over fast, wanted at least 3.1: MISSED"
    assert goal_text(goals[1], RIVALS) == "not measured"


def test_overview_has_a_row_for_each_case() -> None:
    ours, theirs = Contender(Niwaki(), TINY), Contender(PyTorch(), TINY)
    goal = Goal((theirs.label,), ours.label, at_least=2)
    both = {
        ours.label: Result(0.0, times((0.002, 0.002))),
        theirs.label: Result(0.0, times((0.005, 0.005))),
    }
    table = overview_table(
        "title",
        [
            (Case("a", "first", (ours, theirs), (goal,)), both),
            (Case("b", "second", (ours,), ()), {ours.label: Result(problem="not installed")}),
        ],
    )
    assert [column.header for column in table.columns] == ["median ms", "Niwaki", "PyTorch"]
    cells = [list(column.cells) for column in table.columns]
    assert cells == [["first", "second"], ["2.0", "-"], ["5.0", ""]]
    assert table.caption == "first: 2.50 over PyTorch, wanted at least 2: reached"


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


@pytest.mark.parametrize("case", peers.cases(), ids=lambda case: case.name)
def test_all_peers_get_the_same_weights(case: Case) -> None:
    ours, *others = case.contenders
    assert isinstance(ours.engine, Niwaki)
    for other in others:
        dense = isinstance(other.engine, DeepSparse) and other.workload.weights == "dense"
        assert dense or other.workload == ours.workload
    assert {goal.fast for goal in case.goals} == {ours.label}


def test_pattern_mask() -> None:
    weights = np.random.default_rng(0).normal(size=(16, 36, 9)).astype(np.float32)
    mask = masks.pattern(weights, rate=8.1)
    for kernels in mask:
        kept = [tuple(np.flatnonzero(taps)) for taps in kernels if taps.any()]
        assert len(kept) == 10  # of 36, 3.6 times fewer
        assert set(kept) <= set(masks.PATTERNS)
    assert len({tuple(np.flatnonzero(taps)) for taps in mask.reshape(-1, 9)}) > 4


def test_pattern_mask_keeps_the_strongest() -> None:
    weights = np.full((1, 4, 9), 0.1, np.float32)
    weights[0, 2, [0, 1, 3, 4]] = 1
    mask = masks.pattern(weights, rate=9)
    assert np.argwhere(mask[0]).tolist() == [[2, 0], [2, 1], [2, 3], [2, 4]]


def test_pattern_mask_is_of_3x3_kernels() -> None:
    with pytest.raises(ValueError, match="patterns are of 3x3 kernels, not of 1 taps"):
        masks.pattern(np.ones((8, 8, 1), np.float32), rate=8.1)


def test_unstructured_mask_keeps_the_largest() -> None:
    weights = np.random.default_rng(0).normal(size=(8, 5, 9)).astype(np.float32)
    mask = masks.unstructured(weights, rate=10)
    assert mask.sum() == 36
    assert np.abs(weights[mask]).min() > np.abs(weights[~mask]).max()


def test_shapes_of_what_is_kept_are_in_the_names() -> None:
    network = PrunedNetwork("vgg16", rate=8.1, size=32, shape="pattern")
    assert (network.name, network.weights) == ("vgg16-pattern-8.1x-at-32", "pattern 8.1x")
    first, *others = ungrouped_convolutions(network.build()[0])
    assert (first.weight != 0).all()
    for layer in others:
        assert (layer.weight != 0).float().mean().item() == pytest.approx(1 / 8.1, rel=0.05)


def test_an_engine_may_have_an_environment_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    engine = Elsewhere()
    assert engine.version() is None
    about = tmp_path / "peers/elsewhere/lib/python3.10/site-packages/far-1.2.3.dist-info/METADATA"
    about.parent.mkdir(parents=True)
    about.write_text("Name: far\nVersion: 1.2.3\n", encoding="utf-8")
    assert engine.version() == "1.2.3"
    assert engine.python == str(tmp_path / "peers/elsewhere/bin/python")
    assert engine.remedy == "make bench-peers"


def test_its_network_runs_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "peers" / "elsewhere" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nELSEWHERE=yes exec {sys.executable} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    images = tmp_path / "images.npy"
    np.save(images, np.arange(4, dtype=np.float32).reshape(2, 2))
    worker = Worker(Elsewhere(), tmp_path / "any", images, machine.last_core())
    try:
        assert np.array_equal(np.concatenate(worker.outputs()), [[1, 2], [3, 4]])
        assert worker.time_call() > 0
    finally:
        worker.close()


def test_a_worker_that_dies_says_so(tmp_path: Path) -> None:
    images = tmp_path / "images.npy"
    np.save(images, np.zeros((2, 1), np.float32))
    with pytest.raises(WorkerError, match="the process ended with exit status 3"):
        Worker(Dies(), tmp_path / "any", images, machine.last_core())


def test_engines_are_raced_in_processes_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    contenders = (Contender(Niwaki(), TINY), Contender(PyTorch(), TINY))
    goals = (Goal((contenders[1].label,), contenders[0].label, at_least=1),)
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


@pytest.mark.parametrize(
    "engine",
    [*peers.DENSE, MnnSparse(), DeepSparse()],
    ids=lambda engine: engine.name,
)
def test_peers_agree_with_pytorch(engine: Engine, tmp_path: Path) -> None:
    if engine.version() is None:
        pytest.skip(f"{engine.name} is not installed: run `{engine.remedy}`")
    contender = Contender(engine, TINY)
    result = race([contender], tmp_path, 1, machine.last_core(), reuse=False)[contender.label]
    assert result.problem == ""
    assert result.times is not None


def test_an_engine_states_how_exact_it_is(tmp_path: Path) -> None:
    contender = Contender(Rough(), TINY)
    result = race([contender], tmp_path, 1, machine.last_core(), reuse=False)[contender.label]
    assert result.error == pytest.approx(0.25)
    assert result.times is not None


def test_engines_that_fail_are_reported_and_not_timed(tmp_path: Path) -> None:
    engines: tuple[Engine, ...] = (
        Absent(),
        Elsewhere(),
        CannotPrepare(),
        CannotLoad(),
        Wrong(),
        NotANumber(),
        OneResult(),
    )
    contenders = [Contender(engine, TINY) for engine in engines]
    results = race(contenders, tmp_path, 1, machine.last_core(), reuse=False)
    assert {label: result.problem for label, result in results.items()} == {
        "Absent, 4x": "not installed: run `make bench`",
        "Elsewhere, 4x": "not installed: run `make bench-peers`",
        "CannotPrepare, 4x": "ValueError: no such operator",
        "CannotLoad, 4x": "OSError: the file is damaged",
        "Wrong, 4x": "wrong results, so not timed",
        "NotANumber, 4x": "wrong results, so not timed",
        "OneResult, 4x": "wrong results, so not timed",
    }
    assert all(result.times is None for result in results.values())
