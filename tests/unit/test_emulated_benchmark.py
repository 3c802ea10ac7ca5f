"""The benchmark in model cycles: its table and its goals, from counts that are made up."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import run
from contender import IMAGES, OUTPUTS, Contender
from emulated import counting, phone_engines
from emulated.counting import Counted, count_all
from emulated.phone_engines import NiwakiForPhones, arm64_packages
from emulated.plan import PLANS, Plan, Wanted
from emulated.table import best_peer, cycles_json, cycles_table, goals
from engines.ncnn import Ncnn
from rich.console import Console
from workloads import PrunedNetwork

from niwaki.errors import NiwakiError
from niwaki.runtime.model_cycles.cores import CORES
from niwaki.runtime.model_cycles.instructions import CLASSES, FMLA, SIMD_LOAD
from niwaki.runtime.model_cycles.kit import Kit
from niwaki.runtime.model_cycles.model import HotBlock, KernelCycles, ModelCycles

PLAN = Plan(
    "resnet18",
    (
        Wanted(PrunedNetwork("resnet18", 8), cycles=35),
        Wanted(PrunedNetwork("resnet18", 4), over_peer=2.5),
    ),
)


def cycles(millions: float) -> ModelCycles:
    """So many, with one hot loop of 20 runs."""
    block = HotBlock("gather_gemm_3", 20, millions * 4e4, millions * 3e4, 16, 4, ("fmla",))
    return ModelCycles(
        core="a76",
        steady=millions * 1e6,
        bound=millions * 9e5,
        fmla_bound=millions * 8e5,
        instructions={**dict.fromkeys(CLASSES, 0), FMLA: 320, SIMD_LOAD: 80},
        kernels=[KernelCycles("gather_gemm_3", millions * 8e5, 320, 80)],
        blocks=[block] * 12,
    )


@pytest.fixture
def results() -> dict[str, Counted]:
    found = {contender.label: Counted(1e-6, cycles(120)) for contender in PLAN.contenders}
    found["Niwaki, 8x"] = Counted(2e-6, cycles(34))
    found["Niwaki, 4x"] = Counted(2e-6, cycles(50))
    found["ncnn, dense"] = Counted(1e-5, cycles(107))
    found["MNN, dense"] = Counted(problem="not installed: run `make bench`")
    return found


def printed(results: dict[str, Counted]) -> dict[str, str]:
    """The table's rows, by what stands first in them."""
    text = io.StringIO()
    Console(file=text, width=200).print(cycles_table(PLAN, results))
    rows = [line.strip("│ ") for line in text.getvalue().splitlines() if "│" in line]
    return {row.split("│")[0].strip(): row for row in rows}


def test_goals_are_numbers_or_ratios_to_the_best_peer(results: dict[str, Counted]) -> None:
    assert dict(goals(PLAN, results)) == {"Niwaki, 8x": 35, "Niwaki, 4x": 107 / 2.5}
    rows = printed(results)
    assert "35.0: reached" in rows["Niwaki, 8x"]
    assert "42.8: MISSED" in rows["Niwaki, 4x"]
    assert "3.15x" in rows["Niwaki, 8x"]


def test_without_peers_only_numbers_are_goals(results: dict[str, Counted]) -> None:
    for label in results:
        if not label.startswith("Niwaki"):
            results[label] = Counted(problem="not installed")
    assert best_peer(results, PLAN.peers(PLAN.in_f32)) is None
    assert dict(goals(PLAN, results)) == {"Niwaki, 8x": 35, "Niwaki, 4x": None}
    assert "MISSED" not in printed(results)["Niwaki, 4x"]


def test_a_peer_that_is_not_installed_is_told(results: dict[str, Counted]) -> None:
    assert "not installed: run `make bench`" in printed(results)["MNN, dense"]


def test_json_has_all_contenders_and_the_hottest_blocks(results: dict[str, Counted]) -> None:
    found = cycles_json(PLAN, results)
    assert (found["best_f32"], found["best_f16"]) == (107, 120)
    ours, *others = found["contenders"]
    assert (ours["label"], ours["wanted"], ours["steady"]) == ("Niwaki, 8x", 35, 34e6)
    assert len(ours["blocks"]) == 10
    assert [other["label"] for other in others] == [c.label for c in PLAN.contenders[1:]]


def test_every_network_has_peers_of_both_precisions() -> None:
    for plan in PLANS:
        labels = [contender.label for contender in plan.contenders]
        assert len(set(labels)) == len(labels)
        assert plan.in_f32
        assert plan.in_f16 or plan.unpruned  # of sequences, f32 alone is counted


def test_peers_run_in_the_version_that_prepared_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ncnn, "version", lambda self: "1.0")
    monkeypatch.setattr(phone_engines, "arm64_wheel", Path)
    assert arm64_packages(Ncnn()) == [Path("ncnn==1.0")]
    assert arm64_packages(NiwakiForPhones()) == []


KIT = Kit(CORES["a76"], Path("tools"), Path("sysroot"), Path("plugin"), ())
OURS = Contender(NiwakiForPhones(), PrunedNetwork("resnet18", 8))


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with all files of OURS."""
    monkeypatch.setattr(counting, "prepare_all", lambda *arguments: {})
    folder = tmp_path / OURS.workload.name
    folder.mkdir()
    for name in (IMAGES, OUTPUTS):
        np.save(folder / name, np.ones((2, 3), np.float32))
    return tmp_path


def test_wrong_results_are_not_counted(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(kit: Kit, command: list[Path], packages: list[Path]) -> dict[str, int]:
        np.save(command[-1], np.zeros((2, 3), np.float32))
        return {}

    monkeypatch.setattr(counting, "count", wrong)
    (counted,) = count_all(KIT, [OURS], prepared, reuse=True).values()
    assert counted == Counted(1.0, problem="wrong results, so not counted")


def test_what_fails_is_told_and_others_go_on(
    prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*arguments: object) -> None:
        raise NiwakiError("no fmla here")

    monkeypatch.setattr(counting, "count", failing)
    other = replace(OURS, engine=NiwakiForPhones())
    results = count_all(KIT, [OURS, other], prepared, reuse=True)
    assert {counted.problem for counted in results.values()} == {"no fmla here"}


def test_what_this_machine_lacks_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacking(*arguments: object) -> None:
        raise NiwakiError("no C compiler for QEMU's plugin (cc, gcc, clang): install gcc")

    monkeypatch.setattr(run, "fetch", lacking)
    assert run.emulator(PLAN.name) is None
    assert capsys.readouterr().out == (
        "emulated-resnet18: no C compiler for QEMU's plugin (cc, gcc, clang): install gcc\n"
    )
