"""Running other programs so that none of them outlives this process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from .stopping import undone_when_stopped

# Run in the new process: Linux kills it when its parent is gone, even if the parent was killed.
# It leads a group of its own, so that what it starts, such as a linker, ends with it.
_LAUNCHER = """
import os, signal, sys
parent, program = int(sys.argv[1]), sys.argv[2]
os.setpgid(0, 0)
try:
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
except (ImportError, OSError, AttributeError):
    pass  # a Python without ctypes: then it may outlive a parent that was killed
if os.getppid() == parent:
    os.execv(program, sys.argv[2:])
"""


def run_tool(
    command: Sequence[str | Path], data: bytes | None = None, scratch: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end and keep what it prints.

    Whatever ends this process or makes this function raise, ends the program too.

    Args:
        command: path of the program, and its arguments.
        data: what it reads from standard input.
        scratch: the folder that it runs in, for its temporary files. It knows the folder as `.`:
            iree-compile makes a command line of such paths, without quotes.

    Raises:
        FileNotFoundError: there is no such program.
    """
    program = Path(command[0])
    if not program.is_file():
        raise FileNotFoundError(program)
    process = subprocess.Popen(
        _launched([str(program.absolute()), *map(str, command[1:])]),
        stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=scratch,
        env={**os.environ, "TMPDIR": "."} if scratch else None,
    )

    def end() -> None:
        # Not by methods of `process`, which wait for a lock if a signal has interrupted another.
        for kill in (os.killpg, os.kill):
            with suppress(ProcessLookupError):
                kill(process.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(process.pid, 0)

    with process, undone_when_stopped(end):
        try:
            output, errors = process.communicate(data)
        except BaseException:
            end()
            raise
    return subprocess.CompletedProcess(list(command), process.returncode, output, errors)


def first_error(done: subprocess.CompletedProcess[bytes]) -> str:
    """Why a program failed, in one line."""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[0] if lines else f"exit status {done.returncode}"


def last_error(done: subprocess.CompletedProcess[bytes]) -> str:
    """Why a program failed that says much before its last line."""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit status {done.returncode}"


def _launched(command: list[str]) -> list[str]:
    if sys.platform != "linux" or not sys.executable:
        return command
    return [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *command]
