"""Workers of this machine: they train, they die, and nothing is lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import search_functions
from processes import PATIENCE_S, is_gone, wait_for_pid
from search_functions import SPACE

import niwaki
from niwaki.errors import NiwakiError
from niwaki.studies import Choice, Point, Results
from niwaki.studies.workers import cores


def searched(train: Any, evaluate: Any, trials: int = 8, **others: Any) -> Results:
    arguments = {"space": SPACE, "workers": 2, "sampler": "random", **others}
    return niwaki.search(train=train, evaluate=evaluate, trials=trials, **arguments)


def test_others_train() -> None:
    found = searched(search_functions.copied, search_functions.scores)
    processes = {trial.scores["process"] for trial in found.trials}
    assert len(processes) == 2
    assert os.getpid() not in processes
    assert all(is_gone(int(process)) for process in processes)
    assert all(trial.objective == search_functions.score(trial.point) for trial in found.trials)


def test_one_worker_is_another_process_too() -> None:
    found = searched(search_functions.copied, search_functions.scores, 3, workers=1)
    assert {trial.scores["process"] for trial in found.trials}.isdisjoint({os.getpid()})


def test_workers_that_die() -> None:
    """By a signal, by an exit; others raise. Each fails its trial alone, with its reason."""
    space = {"width": Choice(*range(1, 9)), "kind": Choice("a"), "rate": Choice(2)}
    found = searched(search_functions.faulty, search_functions.nan_at_four, 24, space=space)
    reasons = {trial.point["width"]: trial.reason for trial in found.failed}
    raised = reasons.pop(1)
    assert re.fullmatch(r"train raised ValueError: no weights \(search_functions\.py:\d+\)", raised)
    assert reasons == {
        2: "its worker was killed by SIGKILL, as where memory runs out",
        3: "its worker ended with code 4",
        4: "evaluate gave score = nan",
    }
    assert found.best.point["width"] == 8


def test_workers_that_fork() -> None:
    """A child of training that comes back says nothing for its parent."""
    found = searched(search_functions.forked, search_functions.scores, 6)
    assert len(found.done) == 6
    assert len({trial.scores["process"] for trial in found.done}) == 2


def test_threads_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    found = searched(None, search_functions.threads, 2)
    assert found.best.objective == max(1, cores() // 2)
    assert "OMP_NUM_THREADS" not in os.environ
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert searched(None, search_functions.threads, 1).best.objective == 7


def test_function_that_cannot_be_sent() -> None:
    told = r"train or evaluate cannot be sent to workers \(.+\): define both at the top of a module"
    with pytest.raises(NiwakiError, match=f"^{told}$"):
        searched(lambda point: point, search_functions.score)


def test_function_that_workers_do_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    def local(point: Point) -> Point:
        return point

    local.__qualname__ = local.__name__ = "local"
    local.__module__ = "search_functions"
    monkeypatch.setattr(search_functions, "local", local, raising=False)
    told = r"a worker cannot load train or evaluate \(AttributeError: .+\): define both at the top "
    with pytest.raises(NiwakiError, match=f"^{told}"):
        searched(local, search_functions.score)


SCRIPT = """
import niwaki
from search_functions import SPACE, copied, score

niwaki.search(SPACE, copied, score, trials=2)
"""


def run(script: str, folder: Path, **options: Any) -> subprocess.Popen[str]:
    (folder / "script.py").write_text(script)
    tests = str(Path(search_functions.__file__).parent)
    return subprocess.Popen(
        [sys.executable, "script.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": tests},
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_program_without_a_guard(tmp_path: Path) -> None:
    _, errors = run(SCRIPT, tmp_path).communicate(timeout=6 * PATIENCE_S)
    assert errors.splitlines()[-1] == (
        "niwaki.errors.NiwakiError: a worker ended with code 1 before it could begin: a program "
        "that searches must do so below `if __name__ == '__main__':`, since workers import it, too"
    )


HELD = """
import os, time
from pathlib import Path

import niwaki
from niwaki.studies import Integer

def train(point):
    with open("log", "a") as file:
        file.write(f"{point['n']}\\n")
    if Path("hold").exists() and len(Path("log").read_text().split()) > 4:
        Path(f"pid{point['n']}.part").write_text(str(os.getpid()))
        os.rename(f"pid{point['n']}.part", f"pid{point['n']}")
        while True:
            time.sleep(0.1)
    return point

def evaluate(point):
    return point["n"]

if __name__ == "__main__":
    space = {"n": Integer(0, 10**6)}
    niwaki.search(
        space, train, evaluate, trials=8, workers=2, storage="s.sqlite", sampler="random"
    )
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=lambda n: n.name)
def test_killed_search_loses_nothing(number: signal.Signals, tmp_path: Path) -> None:
    """What had ended is not trained again, what was at work is."""
    (tmp_path / "hold").touch()
    process = run(HELD, tmp_path)
    held: list[Path] = []
    for _ in range(120 * PATIENCE_S):
        held = [path for path in tmp_path.glob("pid*") if not path.suffix]
        if len(held) == 2:
            break
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.05)
    workers = [wait_for_pid(path) for path in held]
    process.send_signal(number)
    process.communicate(timeout=6 * PATIENCE_S)
    assert all(map(is_gone, workers))
    before = (tmp_path / "log").read_text().split()
    at_work = {path.name.removeprefix("pid") for path in held}
    (tmp_path / "hold").unlink()
    again = run(HELD, tmp_path)
    _, errors = again.communicate(timeout=6 * PATIENCE_S)
    assert errors == ""
    after = (tmp_path / "log").read_text().split()[len(before) :]
    assert at_work <= set(after)
    assert set(before) & set(after) == at_work
    assert len({*before, *after}) == len(after) + len(before) - 2 == 8
