"""What the README says to type works, and its links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from repository import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def run_as_reader(command: list[str], folder: Path) -> None:
    """Run a command with this environment's programs on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, f"{command[-1]}\n{result.stdout}{result.stderr}"


def test_python_runs(tmp_path: Path) -> None:
    for block in blocks("python"):
        run_as_reader([sys.executable, "-c", block], tmp_path)


def test_commands_run(tmp_path: Path) -> None:
    """Console lines that start with `$ `, in order, beside the examples; make's tasks exist."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    commands = re.findall(r"^\$ (.+)$", "".join(blocks("console")), re.MULTILINE)
    assert commands
    for command in commands:
        if task := re.match(r"make ([\w-]+)", command):
            assert re.search(rf"^{task[1]}:", MAKEFILE, re.MULTILINE), command
        else:
            run_as_reader(["bash", "-c", command], tmp_path)


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert [target for target in targets if not (ROOT / target).exists()] == []
