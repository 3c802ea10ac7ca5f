"""What the benchmarks' groups measure, and how they make figures of it."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import ablation
import branches
import claims
import compile_cost
import layers
import machine
import masks
import models
import networks
import numpy as np
import onnx_model
import peers
import projections
import pruning_step
import published_networks
import pytest
import race as race_module
import scaling
import searches
import sequences
import threads
import torch
from ablation import Measured, Step
from case import Case, Goal
from contender import Contender
from engines import onnx_file
from engines.niwaki import Niwaki, TilesOf1
from engines.pytorch import PyTorch
from figure import Figure
from odd_engines import CountsCores
from onnx_model import NiwakiOfFile, OnnxRuntimeOfFile, PublishedNetwork
from overview import overview_table
from published_files import PublishedFile
from race import Result, race
from recurrent import PrunedRecurrent
from scaling import Point
from speech_layers import PrunedConformer, PrunedDecoderStep
from timing import Times
from variants import AS_IT_IS, ONE_FILTER, NotAvailable, Variant
from worker import Worker, in_fresh_process
from workloads import (
    LayerChain,
    PrunedNetwork,
    PrunedTransformer,
    PrunedVit,
    TransposedLayer,
    ungrouped_convolutions,
)

import niwaki
from niwaki.pruning import PRUNING_SCHEMES
from niwaki.runtime.bundle import open_bundle

TINY = LayerChain(filters=16, size=6, rate=4, depth=2)
CASES = [
    case
    for group in (
        layers,
        networks,
        peers,
        scaling,
        threads,
        branches,
        claims,
        published_networks,
        sequences,
    )
    for case in group.cases()
]


def times(*seconds: float) -> Times:
    return Times(tuple((each,) for each in seconds))


# Figures


def test_each_scheme_of_pruning_is_projected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projections, "SHAPE", (128, 64, 9))
    monkeypatch.setattr(projections, "ROUNDS", 1)
    cores = os.sched_getaffinity(0)
    try:
        figures = projections._measure(min(cores))
    finally:
        os.sched_setaffinity(0, cores)
    names = [figure.name for figure in figures]
    assert len(set(names)) == len(names)
    assert set(PRUNING_SCHEMES) < set(names)
    assert all(figure.value > 0 for figure in figures)


def test_each_method_has_its_share_of_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning_step, "BATCH", 2)
    monkeypatch.setattr(pruning_step, "STEPS", 4)
    cores = os.sched_getaffinity(0)
    try:
        figures = pruning_step._measure(min(cores))
    finally:
        os.sched_setaffinity(0, cores)
    assert len({figure.name for figure in figures}) == len(figures) == 4
    assert all(math.isfinite(figure.value) and figure.value > -100 for figure in figures)


def test_searches_are_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    small = {"LAYERS": 3, "TRIALS": 12, "SEEDS": 1, "TRAINED": 2, "STEPS": 10}
    for name, value in small.items():
        monkeypatch.setattr(searches, name, value)
    cores = os.sched_getaffinity(0)
    try:
        figures = [*searches._samplers(min(cores), tmp_path), *searches._gain()]
    finally:
        os.sched_setaffinity(0, cores)
    assert len({figure.name for figure in figures}) == len(figures) == 10
    assert all((figure.value > 0) == ("score" not in figure.name) for figure in figures)


# Cases


def test_names_of_cases_are_distinct() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_contenders_are_distinct_and_goals_are_about_them(case: Case) -> None:
    labels = {contender.label for contender in case.contenders}
    assert len(labels) == len(case.contenders)
    for goal in case.goals:
        assert labels.issuperset((*goal.slow, goal.fast))


def test_pruned_c3d_is_raced_against_deepsparses_dense_kernels() -> None:
    (case,) = [case for case in peers.cases() if case.name == "peers-c3d-kernel-groups-9.93x"]
    assert {c.workload.weights for c in case.contenders} == {"kernel groups 9.93x", "dense"}
    best_dense, deepsparse = case.goals
    assert "DeepSparse, dense" in best_dense.slow
    assert deepsparse.slow == ("DeepSparse, kernel groups 9.93x",)


def test_overview_has_columns_of_their_own_for_other_weights() -> None:
    dense = LayerChain(filters=16, size=6, rate=1, depth=2)
    ours, other = Contender(Niwaki(), TINY), Contender(PyTorch(), dense)
    case = Case("a", "first", (ours, other), (Goal((other.label,), ours.label, at_least=2),))
    results = {
        ours.label: Result(0.0, Times(((0.002, 0.002),))),
        other.label: Result(0.0, Times(((0.005, 0.005),))),
    }
    table = overview_table("title", [(case, results)])
    assert [column.header for column in table.columns] == ["median ms", "Niwaki", "PyTorch, dense"]
    assert [list(column.cells) for column in table.columns] == [["first"], ["2.0"], ["5.0"]]
    assert table.caption == "first: 2.50 over PyTorch, dense, wanted at least 2: reached"


# Workloads


def test_inputs_are_images_or_clips() -> None:
    clips = models.inputs(2, (3, 4, 9, 9))
    assert clips.shape == (2, 3, 4, 9, 9)
    assert torch.equal(clips, models.inputs(2, (3, 4, 9, 9)))
    assert not torch.equal(clips[0], clips[1])
    assert models.inputs(1, (3, 9, 9)).shape == (1, 3, 9, 9)


def test_kernel_groups_keep_the_same_taps() -> None:
    weights = np.random.default_rng(0).normal(size=(16, 8, 27)).astype(np.float32)
    kept = masks.MASKS["kernel groups"](weights, 4).reshape(2, 8, 2, 4, 27)
    assert np.array_equal(kept, np.broadcast_to(kept[:, :1, :, :1], kept.shape))
    assert kept.mean() == 1 / 4


def test_patterns_beside_pointwise_blocks() -> None:
    workload = PrunedNetwork("resnet18", 8, size=32, shape="pattern", pointwise=4)
    assert workload.weights == "pattern 8x and 1x1 4x"
    _, *layers_ = ungrouped_convolutions(workload.build()[0])
    for layer in layers_:
        kept = (layer.weight != 0).float().mean().item()
        wanted = 1 / 4 if layer.kernel_size == (1, 1) else 1 / 8
        assert kept == pytest.approx(wanted, rel=0.05)


def test_transformers_keep_a_share_of_every_matrix() -> None:
    workload = PrunedTransformer(8, depth=1, width=32, heads=4, tokens=5)
    model, inputs = workload.build()
    assert workload.name == "transformer-1x32-8x"
    assert PrunedVit(8, depth=1).name == "vit-tiny-1-8x"
    assert inputs.shape == (2, 5, 32)
    matrices = [weights for weights in model.parameters() if weights.dim() == 2]
    assert [float((matrix != 0).float().mean()) for matrix in matrices] == [1 / 8] * 4


def test_matrices_of_speech_are_pruned_and_filters_over_time_are_not() -> None:
    encoder, frames = PrunedConformer(8, depth=1, width=32, heads=2, tokens=9).build()
    step, token = PrunedDecoderStep(8, depth=1, width=32, heads=2, keys=5).build()
    for model in (encoder, step):
        for weights in model.parameters():
            if weights.dim() > 1:
                pruned = weights[0, 0].numel() == 1
                assert float((weights != 0).float().mean()) == (1 / 8 if pruned else 1)
    assert encoder(frames).shape == frames.shape
    assert step(token).shape == (2, 1, 3 * 32)  # with the token's keys and values


def test_recurrent_layers_begin_at_states_of_the_input() -> None:
    workload = PrunedRecurrent("LSTM", inputs=64, units=32, layers=2, steps=3, rate=10)
    assert workload.name == "lstm-2x32-3-steps-rows-and-columns-10x"
    model, inputs = workload.build()
    assert inputs.shape == (2, 3, 64 + 2 * 32)
    for weights in model.parameters():
        if weights.dim() == 2:
            assert 0.05 < float((weights != 0).float().mean()) < 0.15
    result = model(inputs)
    assert result.shape == (2, 3, 32)
    inputs[:, 0, 64:] += 1
    assert (model(inputs) - result).abs().max() > 1e-3


def test_transposed_layers_double_the_size() -> None:
    workload = TransposedLayer(channels=8, filters=4, size=5)
    assert workload.name == "transposed-8x4x4x4-at-5-dense"
    model, inputs = workload.build()
    assert model(inputs).shape == (2, 4, 10, 10)


def test_published_files_are_pruned_and_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    layers_ = [torch.nn.Conv2d(16, 16, 3, padding=1) for _ in range(5)]
    dense = tmp_path / "dense.onnx"
    onnx_file.export(torch.nn.Sequential(*layers_).eval(), torch.zeros(1, 16, 6, 6), dense)
    monkeypatch.setattr(onnx_model, "FOLDER", tmp_path)
    monkeypatch.setattr(onnx_model, "fetched", lambda file: dense)
    file = PublishedFile("package==1", "net.onnx", {onnx_file.INPUT: (1, 16, 6, 6)})
    workload = PublishedNetwork(file, "net", 8)
    model, images = workload.build()
    expected = model(images).numpy()
    assert np.abs(expected).max() > 0.1
    for engine in (NiwakiOfFile(), OnnxRuntimeOfFile()):
        engine.prepare(model, images[:1], tmp_path / engine.file)
        found = engine.load(tmp_path / engine.file)(images[:1].numpy())
        np.testing.assert_allclose(found, expected[:1], rtol=1e-4, atol=1e-5)
    records = open_bundle(tmp_path / NiwakiOfFile.file).layers
    pruned = [layer.kept < layer.weights / 5 for layer in records]
    assert pruned == [False, True, True, True, False]


# Racing


def test_cores() -> None:
    every = os.sched_getaffinity(0)
    first = min(every)
    assert machine.cores_with(first, 1) == [first]
    two = machine.cores_with(first, 2)
    assert two[0] == first
    assert len(set(two)) == min(2, len(every))


def test_an_engine_of_two_threads_gets_two_cores(tmp_path: Path) -> None:
    images = tmp_path / "images.npy"
    np.save(images, np.zeros((1, 1), np.float32))
    worker = Worker(CountsCores(), tmp_path / "any", images, machine.last_core())
    try:
        assert worker.outputs()[0].item() == min(2, len(os.sched_getaffinity(0)))
    finally:
        worker.close()


def test_nobody_waits_for_an_engine_that_takes_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(race_module, "TOO_LONG", 0.0)
    contender = Contender(PyTorch(), TINY)
    result = race([contender], tmp_path, 1, machine.last_core(), reuse=False)[contender.label]
    assert result.times is None
    assert result.problem == "takes 0 s a call: not raced"
    assert result.error is not None


# Figures


def test_figures_have_a_bound_on_either_side() -> None:
    found = [Figure("a", 1), Figure("b", 1, at_most=1), Figure("c", 1, at_least=1.1)]
    assert [figure.wanted for figure in found] == ["", "at most 1", "at least 1.1"]
    assert [figure.is_reached for figure in found] == [None, True, False]


SLOPE = [Point(1, 8e9, 0.08), Point(4, 2e9, 0.02), Point(8, 1e9, 0.0115)]


def test_slope_is_the_share_of_the_cut_in_work() -> None:
    shares = scaling.figures(SLOPE)
    assert [figure.value for figure in shares] == pytest.approx([1.0, 0.08 / 0.0115 / 8])
    assert [figure.at_least for figure in shares] == [None, scaling.LEAST_SHARE]
    table = scaling.slope_table("net", SLOPE)
    assert [list(column.cells)[-1] for column in table.columns] == [
        "8x",
        "1.00",
        "11.50",
        "87",
        "8.00x",
        "6.96x",
        "87 %",
        "at least 0.8: reached",
    ]


def test_slope_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    scaling.plot("net", SLOPE, tmp_path / "a.svg")
    scaling.plot("net", SLOPE, tmp_path / "b.svg")
    drawn = (tmp_path / "a.svg").read_bytes()
    assert drawn == (tmp_path / "b.svg").read_bytes()
    for text in (b"8x", b"GFLOP over kept weights", b"net"):
        assert text in drawn


def test_work_is_that_of_kept_weights(tmp_path: Path) -> None:
    model, inputs = TINY.build()
    path = tmp_path / "net.niwaki"
    niwaki.compile(model, inputs[:1], output=path)
    assert scaling.work(path) == TINY.depth * 2 * (16 * 16 * 9 // TINY.rate) * TINY.size**2


def test_cost_of_a_command() -> None:
    command = [sys.executable, "-c", "x = b'1' * 300_000_000"]
    seconds, work, memory = in_fresh_process(compile_cost.run, command)
    assert seconds > 0
    assert work > 0
    assert 300_000_000 < memory < 600_000_000
    with pytest.raises(subprocess.CalledProcessError, match="status 3"):
        compile_cost.run([sys.executable, "-c", "raise SystemExit(3)"])


# Ablation

STEPS = (
    Step("share loads", ONE_FILTER),
    Step("missing", Variant("without it", without="sparse-pattern-no-such-pass")),
)


@pytest.fixture
def keeps_cores() -> Iterator[None]:
    cores = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, cores)


@pytest.mark.usefixtures("keeps_cores")
def test_gains_are_measured_layer_by_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablation, "STEPS", STEPS)
    monkeypatch.setattr(ablation, "VARIANTS", (AS_IT_IS, ONE_FILTER, STEPS[1].off))
    workload = PrunedNetwork("vgg16", 8, size=32)
    found = ablation.measure(workload, tmp_path, rounds=1, core=machine.last_core(), reuse=False)
    assert "NotAvailable: no pass 'sparse-pattern-no-such-pass'" in found["without it"].problem
    labels = list(found["as it is"].seconds)
    assert labels[:2] == ["64x64x3x3 at 32", "128x64x3x3 at 16"]
    assert len(labels) == 8
    assert list(found["no load shared"].seconds) == labels
    # The same weights, and a few entries more in the tables of blocks.
    assert found["no load shared"].packed > found["as it is"].packed > 0
    measured = ablation.gain(STEPS[0], found)
    assert measured is not None
    assert measured.median > 0
    written = ablation.ablation_json(workload, found)
    assert [step["measured"] is None for step in written["steps"]] == [False, True]


def test_table_of_gains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablation, "STEPS", STEPS)
    found = {
        "as it is": Measured(
            {"a": times(0.002, 0.002), "b": times(0.001, 0.001)}, packed=1_000_000
        ),
        "no load shared": Measured({"a": times(0.004, 0.004), "b": times(0.005, 0.005)}, 2_000_000),
        "without it": Measured({}, problem="not available"),
    }
    table = ablation.ablation_table(PrunedNetwork("vgg16", 8), found)
    cells = [list(column.cells) for column in table.columns]
    assert cells[0] == ["a", "b", "one of each", "bytes of weights", "PatDNN, on a phone"]
    assert cells[1] == ["2.000", "1.000", "3.000", "1.00 MB", ""]
    assert cells[2] == ["2.00", "5.00", "3.00 (3.00 to 3.00)", "2.00", ""]
    assert cells[3] == ["-", "-", "-", "-", ""]
    assert table.caption == "without it: not available"


def test_what_is_not_there_is_not_available(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compile_without_tuning() -> None: ...

    monkeypatch.setattr(niwaki, "compile", compile_without_tuning)
    model, inputs = TINY.build()
    with pytest.raises(NotAvailable, match="nothing tunes tiles"):
        Variant("tuned", tune=True).compile(model, inputs[:1], tmp_path / "net.niwaki")


def test_variants_choose_other_tiles(tmp_path: Path) -> None:
    model, inputs = TINY.build()
    engine = TilesOf1()
    engine.prepare(model, inputs[:1], tmp_path / engine.file)
    kernels = {layer.kernel for layer in open_bundle(tmp_path / engine.file).layers}
    assert all(kernel.startswith("spmm ") for kernel in kernels)
