"""Temporary files and folders go, however their process ends."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import is_gone, wait_for_pid

from niwaki.atomic import atomic_file
from niwaki.errors import NiwakiError
from niwaki.kept_input import kept_input
from niwaki.temporary import claimed, temporary_folder

LEFT = "niwaki-12345.0123abcd.tmp"


@pytest.fixture(autouse=True)
def hangups_are_not_ignored() -> Iterator[None]:
    """Below `nohup` they are, and processes inherit that."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def in_process(program: str, home: Path) -> subprocess.Popen[str]:
    """A process that runs `program` until it prints something."""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "TMPDIR": str(home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


WAITS_WITH_FOLDER = """
import time
from niwaki.temporary import temporary_folder
with temporary_folder() as folder:
    (folder / "file").write_text("contents")
    print(flush=True)
    time.sleep(60)
"""
WAITS_WITH_FILE = """
import time
from niwaki.atomic import atomic_file
with atomic_file({path!r}) as file:
    file.write(b"half")
    file.flush()
    print(flush=True)
    time.sleep(60)
"""


def test_folder_goes_after_the_block(home: Path) -> None:
    with temporary_folder() as folder:
        assert folder.parent == home
        (folder / "deep").mkdir()
        (folder / "deep" / "file").touch()
    assert os.listdir(home) == []
    with pytest.raises(KeyboardInterrupt), temporary_folder():
        raise KeyboardInterrupt
    assert os.listdir(home) == []


def test_folders_of_a_killed_process_go_with_the_next(home: Path) -> None:
    with in_process(WAITS_WITH_FOLDER, home) as process:
        (theirs,) = os.listdir(home)
        with temporary_folder():  # of one that still runs they stay
            assert theirs in os.listdir(home)
        process.kill()
    assert os.listdir(home) == [theirs]
    with temporary_folder() as folder:
        assert os.listdir(home) == [folder.name]


def test_half_written_files_of_a_killed_process_go_with_the_next(tmp_path: Path) -> None:
    path = tmp_path / "net.niwaki"
    with in_process(WAITS_WITH_FILE.format(path=str(path)), tmp_path) as process:
        process.kill()
    assert [name.startswith(".net.niwaki.") for name in os.listdir(tmp_path)] == [True]
    with atomic_file(path) as file:
        file.write(b"whole")
    assert os.listdir(tmp_path) == ["net.niwaki"]


def test_only_what_was_left_behind(home: Path) -> None:
    """Neither what somebody else named, nor what a link points to."""
    (home / LEFT).mkdir()
    others = ["niwaki-abc.tmp", "niwaki-input.mlir", "other", ".net.niwaki.old.tmp"]
    for name in others:
        (home / name).touch()
    (home / "kept").mkdir()
    (home / "niwaki-1.00000000.tmp").symlink_to(home / "kept")
    with temporary_folder():
        pass
    with atomic_file(home / "net.niwaki"):
        pass
    left = {*others, "kept", "niwaki-1.00000000.tmp", "net.niwaki"}
    assert set(os.listdir(home)) == left


def test_taken_for_left_behind(tmp_path: Path) -> None:
    """Between making and locking another process may remove it: then there is another one."""
    made: list[Path] = []

    def make(path: Path) -> None:
        made.append(path)
        if len(made) > 1:
            path.touch()

    with claimed(tmp_path, "x", ".tmp", make) as path:
        assert path == made[1]
        assert path.exists()
    assert os.listdir(tmp_path) == []


def test_no_space(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = (
        f"no space left for temporary files in {home}: free some, or set TMPDIR to another folder"
    )
    with pytest.raises(NiwakiError) as caught, temporary_folder():
        raise OSError(errno.ENOSPC, "No space left on device")
    assert str(caught.value) == message

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(NiwakiError) as caught, temporary_folder():
        pass
    assert str(caught.value) == message


def test_no_permission(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(NiwakiError) as caught, temporary_folder():
        pass
    assert str(caught.value) == (
        f"cannot make a folder in {home}: Permission denied: set TMPDIR to another one"
    )


def test_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/x']")

    monkeypatch.setattr(tempfile, "gettempdir", refuse)
    with pytest.raises(NiwakiError) as caught, temporary_folder():
        pass
    assert str(caught.value) == (
        "No usable temporary directory found in ['/x']: free some space, or set TMPDIR to a folder"
    )


def test_kept_input(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = kept_input("text", "tool {file} -o {x=1}")
    (name,) = os.listdir(home)
    assert told == f"to reproduce: tool {home / name} -o {{x=1}}"
    assert (home / name).read_text() == "text"

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    assert kept_input("text", "tool {file}") == (
        "its input could not be kept (No space left on device): set TMPDIR to another folder"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_undo_what_is_half_done(number: signal.Signals, tmp_path: Path) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    home.mkdir()
    out.mkdir()
    program = f"""
import time
from niwaki.atomic import atomic_file
from niwaki.stopping import stopped_cleanly
from niwaki.temporary import temporary_folder
from niwaki.tool import run_tool
with stopped_cleanly(), temporary_folder() as folder, atomic_file({str(out / "net")!r}) as file:
    file.write(b"half")
    (folder / "file").write_text("contents")
    run_tool(["/bin/sh", "-c", "echo $$ > {tmp_path}/pid; sleep 60 & sleep 60"], scratch=folder)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(home)},
        stderr=subprocess.PIPE,
        text=True,
    )
    tool = wait_for_pid(tmp_path / "pid")
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (128 + number, f"error: stopped by {number.name}\n")
    assert (os.listdir(home), os.listdir(out)) == ([], [])
    assert is_gone(tool)


def test_tools_die_with_a_killed_process(tmp_path: Path) -> None:
    program = """
from niwaki.tool import run_tool
run_tool(["/bin/sh", "-c", "echo $$ > pid; exec sleep 60"])
"""
    process = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path)
    tool = wait_for_pid(tmp_path / "pid")
    process.kill()
    process.wait()
    assert is_gone(tool)


def test_ignored_signals_stay_ignored() -> None:
    """As nohup wants it."""
    program = """
import os, signal
from niwaki.stopping import stopped_cleanly
signal.signal(signal.SIGHUP, signal.SIG_IGN)
with stopped_cleanly():
    os.kill(os.getpid(), signal.SIGHUP)
    print("goes on")
assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "goes on\n")


def test_forked_workers_leave_their_parents_files_alone(tmp_path: Path) -> None:
    program = f"""
import os, signal
from niwaki.atomic import atomic_file
from niwaki.stopping import stopped_cleanly
with stopped_cleanly(), atomic_file({str(tmp_path / "net")!r}) as file:
    if not (child := os.fork()):
        os.kill(os.getpid(), signal.SIGTERM)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "-15\n", "")
    assert os.listdir(tmp_path) == ["net"]
