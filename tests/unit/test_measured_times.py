"""Times of benchmarks that were stopped are there when they go on."""

from __future__ import annotations

import json
from pathlib import Path

from measured_times import MeasuredTimes


def test_times_are_kept_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "times.json"
    times = MeasuredTimes(path)
    assert times.of(3) == []
    times.note(3, 0.25)
    times.note(3, 0.5)
    times.note(0, 1.0)
    again = MeasuredTimes(path)
    assert again.of(3) == [0.25, 0.5]
    assert again.of(0) == [1.0]


def test_times_of_another_compiler_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "times.json"
    MeasuredTimes(path).note(3, 0.25)
    path.write_text(json.dumps({**json.loads(path.read_text()), "compiler": "another"}))
    times = MeasuredTimes(path)
    assert times.of(3) == []
    times.note(1, 2.0)
    assert list(json.loads(path.read_text())["seconds"]) == ["1"]
