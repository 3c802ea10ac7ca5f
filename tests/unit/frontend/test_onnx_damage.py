"""Damaged .onnx files end in one line. `tests/fuzz_onnx.py` tries many more of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz_onnx import mutant, outcome, whole_files


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    return whole_files(tmp_path_factory.mktemp("whole"))


def test_whole_files(files: list[bytes], tmp_path: Path) -> None:
    assert [outcome(data, tmp_path / "net.onnx") for data in files] == [""] * len(files)


def test_mutants(files: list[bytes], tmp_path: Path) -> None:
    found = {seed: outcome(mutant(seed, files), tmp_path / "net.onnx") for seed in range(150)}
    assert {seed: text for seed, text in found.items() if text} == {}
