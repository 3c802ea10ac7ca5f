"""`niwaki search`: the example, and each line about a file that says no study."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click.testing
import pytest

from niwaki.cli import main

FILE = """
from niwaki.studies import Choice, Limit

def setup(**options):
    import beside
    return {{"space": {{"n": Choice(1, 2, 3)}}, "train": train, "evaluate": evaluate, {more}}}

def train(point):
    import beside
    print("noise")
    return point["n"]

def evaluate(n):
    return float(n)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beside.py").touch()
    return tmp_path


def run(*arguments: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, ["search", *arguments])


def succeeded(*arguments: str) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stderr, result.exception) == (0, "", None)
    return result.stdout


def refused(*arguments: str) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    return line.removeprefix("error: ")


def test_example(repository: Path, tmp_path: Path) -> None:
    example = str(repository / "examples" / "search" / "spirals.py")
    storage, page = tmp_path / "study.sqlite", tmp_path / "page.html"
    options = ("--target-ms", "0.1", "--workers", "2", "--storage", str(storage))
    lines = succeeded(example, "--trials", "6", *options).splitlines()
    assert lines[0].split() == ["trial", "accuracy", "ms", "point"]
    assert re.fullmatch(r"6 trials, 0 failed, \d+ points above a limit were not trained", lines[-2])
    assert re.fullmatch(r"best: trial \d+, layers=\d width=\d+ activation=\w+", lines[-1])
    again = succeeded(example, "--trials", "8", *options, "--json", "-o", str(page))
    found = json.loads(again)
    assert found["trials"] == 8
    assert found["best"]["costs"]["ms"] <= 0.1
    assert found["best"]["scores"]["accuracy"] > 0.6
    assert "layer1" in page.read_text()


def test_output_of_training_is_not_that_of_the_search(folder: Path) -> None:
    """It goes to standard error, so that JSON can be read."""
    (folder / "study.py").write_text(FILE.format(more=""))
    command = [sys.executable, "-m", "niwaki", "search", "study.py", "--trials", "3", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["trials"] == 3
    assert "noise" in done.stderr


def test_options_go_before_the_file(folder: Path) -> None:
    (folder / "study.py").write_text(FILE.format(more='"trials": 4, "sampler": "random"'))
    assert json.loads(succeeded("study.py", "--json"))["trials"] == 4
    found = succeeded("study.py:setup", "--json", "--trials", "2", "--seed", "5")
    assert json.loads(found)["trials"] == 2


@pytest.mark.usefixtures("folder")
def test_refused() -> None:
    def told(text: str, *arguments: str) -> str:
        Path("study.py").write_text(text)
        return refused("study.py", *arguments)

    keys = "space, train, evaluate, limits, trials, sampler, storage, workers, seed, describe"
    assert (
        told(FILE.format(more='"epochs": 3')) == f"study.py: returned 'epochs', not one of {keys}"
    )
    assert told("def setup(): return 5") == (
        "study.py: returned int: return a dict with space, train, evaluate"
    )
    assert told("def setup(): return {'space': {}, 'train': None}") == (
        "study.py: returned no 'evaluate': return space, train, evaluate"
    )
    assert told("") == "study.py: has no function 'setup'"
    assert told("def setup(): return {}", "--target-ms", "5").startswith(
        "study.py: setup() raised TypeError: setup() got an unexpected keyword argument"
    )
    assert told("def setup(): 1 / 0").startswith("study.py:1: setup() raised ZeroDivisionError")
    assert refused("study.onnx") == "study.onnx: a search takes file.py or file.py:function"
    good = FILE.format(more="")
    assert told(good, "--sampler", "none").startswith("no sampler 'none': there are tpe, ")
    assert told(good, "--workers", "-1").startswith("workers are a number from 1, auto or ray://")
    failing = good.replace("float(n)", "1 / 0")
    assert re.fullmatch(
        r"none of 2 trials has a result: the first says: evaluate raised ZeroDivisionError: .*"
        r"division by zero \(study\.py:14\)",
        told(failing, "--trials", "2"),
    )
