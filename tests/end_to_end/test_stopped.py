"""`niwaki compile` that is told to stop, or killed, while IREE works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import is_gone, wait_for_pid

NETWORK = """
func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %y = arith.addf %x, %x : tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}
"""
# Instead of iree-compile: notes its number, and takes its time.
SLOW_COMPILER = "#!/bin/sh\necho $$ > {pid}.part; mv {pid}.part {pid}\nexec sleep 100\n"


@pytest.fixture(autouse=True)
def hangups_are_not_ignored() -> Iterator[None]:
    """Below `nohup` they are, and processes inherit that."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=lambda n: n.name
)
def test_stopped(number: signal.Signals, tmp_path: Path) -> None:
    home, tools, pid = tmp_path / "home", tmp_path / "tools", tmp_path / "pid"
    home.mkdir()
    tools.mkdir()
    (tools / "iree-compile").write_text(SLOW_COMPILER.format(pid=pid))
    (tools / "iree-compile").chmod(0o755)
    (tmp_path / "net.mlir").write_text(NETWORK)
    process = subprocess.Popen(
        [sys.executable, "-m", "niwaki", "compile", "net.mlir", "-o", "net.niwaki"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(home), "IREE_TOOL_PATH": str(tools)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    tool = wait_for_pid(pid)
    process.send_signal(number)
    output, errors = process.communicate(timeout=120)
    assert output == ""
    if number is not signal.SIGKILL:
        assert (process.returncode, errors) == (128 + number, f"error: stopped by {number.name}\n")
        assert [name for name in os.listdir(home) if name.startswith("niwaki")] == []
    assert sorted(os.listdir(tmp_path)) == ["home", "net.mlir", "pid", "tools"]
    assert is_gone(tool)
