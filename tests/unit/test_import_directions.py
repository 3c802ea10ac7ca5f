"""Imports point downwards only, and what needs neither PyTorch nor MLIR imports neither."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from repository import ROOT, python_files

FOLDERS = ("niwaki", "dialects", "frontend", "passes", "pruning", "runtime")

# What every part may use: plain Python and numpy.
SHARED = {
    f"niwaki.{name}"
    for name in (
        "arguments",
        "atomic",
        "elements",
        "errors",
        "extras",
        "kept_input",
        "layer_costs",
        "module_copy",
        "padding",
        "pages",
        "printable",
        "progress",
        "python_file",
        "records",
        "states",
        "schemes",
        "signature",
        "stopping",
        "targets",
        "temporary",
        "text_table",
        "tool",
        "winograd",
    )
}

# Part -> what it may import of niwaki besides itself.
MAY_USE = {
    "shared": SHARED,
    "dialects": SHARED,
    "frontend": SHARED | {"niwaki.dialects"},
    "passes": SHARED | {"niwaki.dialects"},
    "pruning": SHARED,
    "runtime": SHARED,
}

# Part -> packages that it works without.
WORKS_WITHOUT = {
    "shared": {"iree", "torch", "torch_mlir"},
    "pruning": {"iree", "torch_mlir"},
    "runtime": {"torch", "torch_mlir"},
}


def module_name(file: Path) -> str:
    """passes/kernels/pool.py -> niwaki.passes.kernels.pool"""
    names = file.parts[:-1] if file.name == "__init__.py" else (*file.parts[:-1], file.stem)
    return ".".join(names if names[0] == "niwaki" else ("niwaki", *names))


def imported_names(file: Path) -> Iterator[str]:
    """All that a file imports, at any depth, in full: `from .a import b` gives niwaki.a.b."""
    package = module_name(file).split(".")
    if file.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base += node.module.split(".") if node.module else []
            yield from (".".join([*base, alias.name]) for alias in node.names)


def part_of(file: Path) -> str:
    """The key of the tables above; empty for the public functions, which may use everything."""
    if file.parts[0] != "niwaki":
        return file.parts[0]
    return "shared" if is_within(module_name(file), SHARED) else ""


def is_within(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


SOURCES = [file for folder in FOLDERS for file in python_files(folder) if part_of(file)]


@pytest.mark.parametrize("file", SOURCES, ids=str)
def test_imports_point_downwards(file: Path) -> None:
    part = part_of(file)
    allowed = MAY_USE[part] | {f"niwaki.{part}"}
    for name in imported_names(file):
        if is_within(name, {"niwaki"}):
            assert is_within(name, allowed), f"{part} may not import {name}"
        assert not is_within(name, WORKS_WITHOUT.get(part, set())), f"{part} may not need {name}"


@pytest.mark.parametrize("name", ["niwaki", "niwaki.runtime", "niwaki.schemes"])
def test_import_loads_no_pytorch(name: str) -> None:
    code = f"import sys, {name}; print(*{{'torch', 'torch_mlir'}} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert loaded == []


def pass_files() -> list[Path]:
    """Files that define a pass."""
    found = [file for file in python_files("passes") if len(file.parts) == 2]
    return [file for file in found if "(ModulePass)" in (ROOT / file).read_text(encoding="utf-8")]


@pytest.mark.parametrize("file", pass_files(), ids=str)
def test_no_pass_imports_another(file: Path) -> None:
    """What two of them need has a file of its own, as `passes/layers.py`."""
    others = {module_name(other) for other in pass_files() if other != file}
    assert [name for name in imported_names(file) if is_within(name, others)] == []
