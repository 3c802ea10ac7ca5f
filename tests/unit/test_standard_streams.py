"""Commands whose output is closed, full, or read in part."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import tiny_bundle

import niwaki.commands

COMMANDS = ("targets", "inspect net.niwaki", "bench net.niwaki")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("streams")
    tiny_bundle.affine_bundle(folder / "net.niwaki")
    return folder


def shell(folder: Path, command: str, redirection: str) -> subprocess.CompletedProcess[str]:
    line = f"'{sys.executable}' -m niwaki {command} {redirection}"
    return subprocess.run(line, shell=True, cwd=folder, capture_output=True, text=True, timeout=100)


@pytest.mark.parametrize("buffered", [False, True])
@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_that_is_full_is_told_in_one_line(
    folder: Path, command: str, buffered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "" if buffered else "1")
    result = shell(folder, command, ">/dev/full")
    assert (result.returncode, result.stderr) == (
        1,
        "error: cannot write to standard output: No space left on device; send it elsewhere\n",
    )


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("redirection", [">&-", ">&- 2>&-", "2>&-"])
def test_streams_may_be_closed(folder: Path, command: str, redirection: str) -> None:
    result = shell(folder, command, redirection)
    assert (result.returncode, result.stderr) == (0, "")
    assert (result.stdout == "") == redirection.startswith(">&-")


def test_a_mistake_keeps_its_exit_code_without_any_stream(folder: Path) -> None:
    assert shell(folder, "inspect none.niwaki", ">&- 2>&-").returncode == 1


def test_a_reader_that_has_seen_enough_ends_the_command_quietly(folder: Path) -> None:
    assert shell(folder, "inspect net.niwaki", "| :").stderr == ""


def test_commands_print_by_say() -> None:
    for file in Path(niwaki.commands.__file__).parent.glob("*.py"):
        if file.name != "opt.py":  # MLIR's own tool, in Python
            assert "click.echo(" not in file.read_text(), file.name
