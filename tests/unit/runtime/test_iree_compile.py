"""What is said where `iree-compile` fails."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from niwaki.errors import NiwakiError
from niwaki.runtime.iree_compile import IreeRefused, iree_compile
from niwaki.targets import get_target


def fake(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program called iree-compile."""
    program = folder / "iree-compile"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("IREE_TOOL_PATH", str(folder))


def test_wrong_text(tmp_path: Path) -> None:
    with pytest.raises(IreeRefused, match=r"error: Dialect .no' not found") as caught:
        iree_compile("no.op", [], tmp_path)
    assert "\n" not in str(caught.value)


def test_a_scratch_folder_of_any_name(tmp_path: Path) -> None:
    """IREE gives a shell the paths of what it links."""
    folder = tmp_path / 'a b\'s $HOME; "c"'
    folder.mkdir()
    text = """func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = arith.addf %x, %x : tensor<4xf32>
      return %y : tensor<4xf32>
    }"""
    assert iree_compile(text, get_target("x86-64-v3").iree_flags, folder)


def test_failure_without_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path, "cat > /dev/null; exit 9", monkeypatch)
    with pytest.raises(IreeRefused, match=r"^exit status 9$"):
        iree_compile("", [], tmp_path)


def test_no_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As LLVM says it, which writes object files for the linker."""
    told = "LLVM ERROR: IO failure on output stream: No space left on device"
    fake(tmp_path, f"cat > /dev/null; echo '{told}' >&2; exit 1", monkeypatch)
    with pytest.raises(NiwakiError, match=r"^no space left for temporary files in .*: free some"):
        iree_compile("", [], tmp_path)


def test_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "iree.compiler.tools.binaries", None)
    message = "IREE's compiler is missing: install iree-base-compiler"
    with pytest.raises(NiwakiError, match=f"^{re.escape(message)}$"):
        iree_compile("", [], tmp_path)
