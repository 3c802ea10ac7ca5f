"""Damaged .onnx files end in one line. `tests/fuzz_onnx.py` tries many more of them."""

from __future__ import annotations

from pathlib import Path

import fuzz_onnx
import fuzzing
import pytest


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fuzz_onnx.whole_files(tmp_path_factory.mktemp("files"))


def test_whole_files(files: Path, tmp_path: Path) -> None:
    for path in files.iterdir():
        assert fuzz_onnx.outcome(path.read_bytes(), tmp_path / "net.onnx") == "imported"


def test_mutants(files: Path, tmp_path: Path) -> None:
    findings = fuzzing.fuzz(fuzz_onnx.run, files, range(150), tmp_path)
    assert findings.wrong == []
    assert findings.outcomes["refused"]
    assert findings.outcomes["imported"]
