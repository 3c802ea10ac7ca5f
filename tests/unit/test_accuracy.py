"""The runner of accuracy experiments, on a tiny task; and the page made of its results."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import accuracy
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file
from torch import nn
from training import document, experiment, results
from training.experiment import DENSE, Experiment, Place
from training.plan import PLAN
from training.tasks import TASKS, Split, Task, adam
from unit.pruning import tiny_task

from niwaki.errors import NiwakiError
from niwaki.pruning import parse_method, parse_scheme

RUN = Experiment("tiny", "block_punched", 4, "gradual", 2, 0, 3e-3)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place of its own, and the tiny task among the others."""
    task = Task(
        title="Stripes",
        network=lambda: tiny_task.network(int(torch.initial_seed())),
        data=lambda folder, seed: Split(tiny_task.loader(), *tiny_task.images(64, 2)),
        epochs=6,
        rate=3e-3,
        pruning_rate=3e-3,
        optimizer=adam,
        half=True,
        exclude=(),
        test="64 images",
        licence="none",
    )
    monkeypatch.setitem(TASKS, "tiny", task)
    monkeypatch.setattr(results, "FILE", tmp_path / "results.json")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    (tmp_path / "work").mkdir()
    yield Place(tmp_path, tmp_path / "work")
    torch.set_num_threads(threads)


def without_times(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "train_seconds"}


def test_a_row_is_what_was_trained(place: Place) -> None:
    row = experiment.run(RUN, place)
    assert row["experiment"] == asdict(RUN)
    assert row["accuracy"] == row["compiled_accuracy"]
    assert row["accuracy"] > 0.5, "of four classes"
    assert (row["compiled_differs"], row["tested"]) == (0, 64)
    assert row["compiled_error"] < 1e-3
    assert row["layer_rates"] == {"2": 4, "6": 4}
    assert row["achieved_rate"] == 4 > row["network_rate"] > 1
    assert all(scheme.startswith("block_punched(") for scheme in row["schemes"]["2"])
    assert row["method"] == "gradual(ramp=0.5, updates=32)"
    weights = tuple(place.work.glob("tiny-block_punched*.safetensors"))
    assert len(weights) == 1
    assert not tuple(place.work.glob("*.ckpt"))
    # What was trained is not trained again, and gives the same row.
    assert without_times(experiment.run(RUN, place)) == without_times(row)


def test_a_killed_run_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = experiment.run(RUN, place)
    for file in place.work.glob("tiny-block_punched*"):
        file.unlink()
    original, calls = experiment._loss, []

    def dies(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 12:  # in the second of two epochs
            raise KeyboardInterrupt
        return original(outputs, labels)

    monkeypatch.setattr(experiment, "_loss", dies)
    with pytest.raises(KeyboardInterrupt):
        experiment.run(RUN, place)
    assert len(tuple(place.work.glob("*.ckpt"))) == 1
    assert without_times(experiment.run(RUN, place)) == without_times(expected)
    assert len(calls) == 12 + 8, "the first epoch is not trained again"


def test_dense_is_trained_as_long(place: Place) -> None:
    row = experiment.run(replace(RUN, scheme=DENSE, rate=1, method="magnitude"), place)
    assert row["achieved_rate"] == row["network_rate"] == 1
    assert set(row["schemes"]["2"]) == {"dense"}


def test_layers_may_share_a_rate(place: Place) -> None:
    row = experiment.run(replace(RUN, method="magnitude", budget="weights", epochs=0), place)
    assert row["achieved_rate"] == pytest.approx(4, rel=0.05)
    assert row["layer_rates"]["2"] != pytest.approx(row["layer_rates"]["6"], rel=0.1)
    assert row["command"].endswith("--budget weights")


def test_the_teacher_is_dense_and_has_the_same_budget(place: Place) -> None:
    run = replace(RUN, distill=0.5)
    row = experiment.run(run, place)
    assert row["command"].endswith("--distill 0.5")
    teacher = place.work / f"{run.dense.name}.safetensors"
    assert load_file(teacher)["6.weight"].count_nonzero() == 2304
    alone = load_file(place.work / f"{run.name}.safetensors")
    experiment.run(RUN, place)
    other = load_file(place.work / f"{RUN.name}.safetensors")
    assert torch.equal(alone["6.weight"] != 0, other["6.weight"] != 0), "it teaches in retraining"
    assert not torch.equal(alone["6.weight"], other["6.weight"])


def test_weights_from_elsewhere(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place.work / "trained.safetensors"
    experiment.save(tiny_task.trained(), path)
    monkeypatch.setitem(TASKS, "tiny", replace(TASKS["tiny"], weights=path))
    row = experiment.run(replace(RUN, method="magnitude", epochs=0), place)
    assert row["accuracy_before"] > 0.8
    assert not tuple(place.work.glob("first-*"))


def test_no_data_is_one_line(place: Place) -> None:
    with pytest.raises(NiwakiError, match=r"^no data: "):
        experiment.run(RUN, Place(Path("none"), place.work))


def test_rows_that_exist_are_left_out(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy, "WORK", place.work)
    command = ["run", "tiny", "--scheme", "block_punched", "--rate", "4", "--method", "magnitude"]
    command += ["--epochs", "1", "--data", str(place.data)]
    first = CliRunner().invoke(accuracy.main, command)
    assert first.exit_code == 0, first.output
    assert "accuracy " in first.output
    (row,) = results.read_rows()
    assert row["command"] in first.output
    again = CliRunner().invoke(accuracy.main, command)
    assert (again.exit_code, again.output) == (0, "")
    # A run that another process has is its own.
    (other,) = [replace(RUN, method="magnitude", epochs=1, seed=1)]
    with results.try_lock(place.work / f"{other.name}.lock") as free:
        assert free
        taken = CliRunner().invoke(accuracy.main, [*command, "--seed", "1"])
        assert (taken.exit_code, taken.output) == (0, "")
    assert len(results.read_rows()) == 1


def test_without_data_the_program_says_one_line(tmp_path: Path) -> None:
    program = Path(accuracy.__file__ or "").resolve()
    found = subprocess.run(
        [sys.executable, program, "run", "cifar10", "--data", "nowhere"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert found.stderr == (
        "error: no data: nowhere is no folder; name that of data sets with --data\n"
    )


def test_unknown_tasks_are_refused() -> None:
    result = CliRunner().invoke(accuracy.main, ["run", "chess"])
    assert str(result.exception) == (
        "unknown task 'chess': choose one of fashion_mnist, small_fashion, cifar10, half_vgg16, "
        "spoken_digits, spoken_digits_wide, questions"
    )


def test_rows_replace_those_of_the_same_experiment(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for seed, value in ((1, 0.5), (0, 0.6), (1, 0.7)):
        run = replace(RUN, seed=seed)
        results.add_row({"experiment": asdict(run), "accuracy": value}, path)
    rows = results.read_rows(path)
    assert [(row["experiment"]["seed"], row["accuracy"]) for row in rows] == [(0, 0.6), (1, 0.7)]
    assert results.find_row(asdict(replace(RUN, seed=0)), rows) == rows[0]
    assert results.find_row(asdict(replace(RUN, seed=2)), rows) is None


def row_of(run: Experiment, value: float, **others: Any) -> dict[str, Any]:
    known = {
        "experiment": asdict(run),
        "accuracy": value,
        "compiled_accuracy": value,
        "compiled_differs": 0,
        "achieved_rate": 1.0,
        "network_rate": 1.0,
        "layer_rates": {},
        "schemes": {},
    }
    return {**known, **others}


def test_the_page_compares_with_dense_networks_of_the_same_budget() -> None:
    dense = Experiment("fashion_mnist", DENSE, 1, "magnitude", 2, 0, 0.05)
    pruned = replace(dense, scheme="pattern", rate=8, method="admm")
    found = {"layer_rates": {"a": 8, "b": 8, "c": 8}, "achieved_rate": 8.0}
    schemes = {"a": ["pattern(4 of 9)"], "b": ["pattern(4 of 9)"], "c": ["unstructured"]}
    rows = [
        row_of(dense, 0.92),
        row_of(replace(dense, seed=1), 0.94),
        row_of(replace(dense, epochs=9), 0.99),
        row_of(pruned, 0.91, schemes=schemes, **found),
        row_of(replace(pruned, seed=1), 0.92, schemes=schemes, compiled_differs=1, **found),
        row_of(replace(pruned, epochs=3), 0.90, schemes=schemes, **found),
    ]
    text = document.document(rows)
    assert (
        "| pattern | 8x (1x) | `admm` | 2 | 2 | 93.00% | 91.50% (91.00% to 92.00%) | 1.50 "
        "| 91.50% (1) | `pattern` 67%, `unstructured` 33% |"
    ) in text
    # Kinds that are as frequent come in the order of their names, whatever that of sets is.
    tied = {"a": ["unstructured"], "b": ["pattern(4 of 9)"]}
    (line,) = document._lines([row_of(pruned, 0.9, schemes=tied, **found)])
    assert "`pattern` 50%, `unstructured` 50%" in line
    # No dense network was trained for 3 epochs.
    assert "| pattern | 8x (1x) | `admm` | 3 | 1 |  | 90.00% |  | 90.00% (0) |" in text
    assert "Spoken digits" not in text


def test_goals_are_reached_or_missed() -> None:
    dense = Experiment("cifar10", DENSE, 1, "magnitude", 2, 0, 0.05)
    pruned = replace(dense, scheme="block_punched", rate=4, method="admm")
    rows = [row_of(dense, 0.90), row_of(pruned, 0.88)]
    goal = "| the same, blocks 4x | 1.5 | "
    assert f"{goal} |  |  | not measured yet |" in document.document([])
    assert f"{goal}2.00 | `admm` | 1 | MISSED |" in document.document(rows)
    rows.append(row_of(replace(pruned, method="gradual(ramp=0.25)", budget="weights"), 0.885))
    how = "`gradual(ramp=0.25)`, `weights`"
    assert f"{goal}1.50 | {how} | 1 | reached |" in document.document(rows)
    assert "whole filters" not in document.document(rows)
    filters = [row_of(replace(pruned, scheme="filter", method="magnitude"), 0.8)]
    assert "whole filters, by magnitude, loses 10.00 points" in document.document([*rows, *filters])
    # More seeds count more than a better one.
    rows += [row_of(replace(dense, seed=1), 0.90), row_of(replace(pruned, seed=1), 0.87)]
    assert f"{goal}2.50 | `admm` | 2 | MISSED |" in document.document(rows)
    # Other methods do not.
    rows.append(row_of(replace(pruned, method="magnitude"), 0.90))
    assert f"{goal}2.50 | `admm` | 2 | MISSED |" in document.document(rows)


def test_the_page_is_what_the_results_say() -> None:
    result = CliRunner().invoke(accuracy.main, ["document", "--check"])
    assert result.exit_code == 0, "python benchmarks/accuracy.py document"


def test_a_page_that_differs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "OUTPUT", tmp_path / "accuracy.md")
    result = CliRunner().invoke(accuracy.main, ["document", "--check"])
    assert isinstance(result.exception, NiwakiError)
    assert "is not what the results say" in str(result.exception)
    assert CliRunner().invoke(accuracy.main, ["document"]).exit_code == 0
    assert CliRunner().invoke(accuracy.main, ["document", "--check"]).exit_code == 0


def test_results_are_of_known_tasks_and_schemes() -> None:
    rows = json.loads(results.FILE.read_text(encoding="utf-8"))
    assert rows
    for row in rows:
        run = Experiment(**row["experiment"])
        assert run.task in TASKS
        assert run.scheme == DENSE or parse_scheme(run.scheme)
        assert row["command"] == run.command
        assert row["method"] == str(parse_method(run.method)), "its defaults have changed since"
        assert row["compiled_differs"] <= row["tested"] / 1000


def test_the_plan_names_what_exists() -> None:
    assert len(set(PLAN)) == len(PLAN)
    for run in PLAN:
        assert isinstance(TASKS[run.task].network(), nn.Module)
        assert run.scheme == DENSE or parse_scheme(run.scheme)
        assert parse_method(run.method)
