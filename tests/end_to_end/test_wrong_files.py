"""Whatever files a command is given by mistake: one line, exit code 1, and nothing is written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_bundle
from click.testing import CliRunner

from niwaki.cli import main
from niwaki.runtime.bundle import write_bundle

NETWORK = """
import torch

def make():
    return torch.nn.Sequential(*(torch.nn.Conv2d(8, 8, 3) for _ in range(3))).eval()

def broken():
    raise ValueError("broken")

value = 3
"""
# Names without an ending: each kind of file is tried empty, as a folder, as noise, and missing.
KINDS = ("empty", "folder", "noise", "missing")
NOISE = b"\x93noise\xff\x00 \n" * 9


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    tiny_bundle.affine_bundle(folder / "net.niwaki")
    (folder / "net.py").write_text(NETWORK)
    np.save(folder / "x.npy", np.zeros((2, 3), np.float32))
    os.mkfifo(folder / "pipe.html")
    for ending in ("py", "onnx", "pt2", "mlir", "txt", "niwaki", "npy", "npz", "yaml", "json"):
        (folder / f"empty.{ending}").touch()
        (folder / f"folder.{ending}").mkdir()
        (folder / f"noise.{ending}").write_bytes(NOISE)
    return folder


def commands() -> Iterator[str]:
    for kind in KINDS:
        for model in ("py:make", "onnx", "pt2", "mlir", "txt", "niwaki"):
            yield f"compile {kind}.{model} -o out.niwaki"
        for model in ("py:make", "onnx", "pt2"):
            yield f"prune {kind}.{model} --no-data -o out.{'onnx' if model == 'onnx' else 'st'}"
        for command in ("run", "bench", "bench --layers", "inspect", "inspect --json"):
            yield f"{command} {kind}.niwaki"
        yield f"report {kind}.niwaki -o out.html"
        yield f"run net.niwaki --input {kind}.npy"
        yield f"run net.niwaki --input {kind}.npz"
        yield f"prune net.py:make --no-data -o out.safetensors --config {kind}.yaml"
        latency = f"--budget latency --times {kind}.json"
        yield f"prune net.py:make --no-data -o out.safetensors {latency}"
    for model in ("net.py", "net.py:", "net.py:none", "net.py:value", "net.py:broken", ":", "."):
        yield f"compile {model} -o out.niwaki"
        yield f"prune {model} --no-data -o out.safetensors"
    for output in ("folder.txt", "none/out", "net.py", "x.npy", "pipe.html"):
        yield f"compile net.py:make -o {output}"
    for output in ("folder.txt", "none/out.html", "net.niwaki", "pipe.html"):
        yield f"report net.niwaki -o {output}"
    for output in ("folder.npy", "none/y.npy", "y.txt", "net.py"):
        yield f"run net.niwaki --input x.npy --output {output}"
    for output in ("folder.txt", "none/out.safetensors", "net.py"):
        yield f"prune net.py:make --no-data -o {output}"
    for option in ("--target toaster", "--batch 0", "--dump-ir net.py", "--without x"):
        yield f"compile net.py:make -o out.niwaki {option}"
    for option in ("--rate 0", "--scheme x", "--method x", "--checkpoint x", "--times x"):
        yield f"prune net.py:make --no-data -o out.safetensors {option}"
    yield "compile noise.py:make"
    yield "prune noise.onnx --no-data -o noise.onnx"


@pytest.mark.parametrize("command", [*commands()])
def test_one_line(command: str, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    before = state(files)
    result = CliRunner().invoke(main, command.split())
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1
    assert "None:" not in result.stderr
    assert state(files) == before


def test_empty_names(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    for options in (["-o", ""], ["-o", "out.niwaki", "--dump-ir", ""]):
        result = CliRunner().invoke(main, ["compile", "net.py:make", *options])
        assert result.exit_code == 1
        assert "is the path of a file, not empty" in result.stderr


def test_names_that_the_terminal_has_no_letters_for(tmp_path: Path) -> None:
    """One that is set to Latin letters, say."""
    manifest = tiny_bundle.manifest({"\u5c64": ((1,), "float32")}, {})
    write_bundle(tmp_path / "net.niwaki", manifest, b"no code", {})
    done = subprocess.run(
        [sys.executable, "-m", "niwaki", "inspect", "net.niwaki"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "latin-1:strict"},
        capture_output=True,
        check=True,
    )
    assert rb"\u5c64: 1xfloat32" in done.stdout


def state(folder: Path) -> dict[str, bytes | None]:
    """All files below, and what they hold."""
    found = [path for path in folder.rglob("*") if "__pycache__" not in path.parts]
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in found
    }
