"""The repository's own files, for the tests about the repository itself."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@functools.cache
def repository_files() -> tuple[Path, ...]:
    """Every file that is committed or would be, relative to the root."""
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = (Path(name) for name in listed.split("\0") if name)
    return tuple(sorted(path for path in paths if (ROOT / path).is_file()))


def python_files(folder: str) -> list[Path]:
    """Those below one of the top-level folders that are Python."""
    return [file for file in repository_files() if file.parts[0] == folder and file.suffix == ".py"]
