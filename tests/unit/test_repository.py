"""House rules that a program can check: files and tests of passes, no paths of a machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from repository import ROOT, python_files, repository_files

PREFIX = "sparse-pattern-"
LIT_TESTS = Path("tests", "filecheck", "passes")


def pass_names(file: Path) -> Iterator[str]:
    """Names of the passes that a file defines: `name = "sparse-pattern-..."` in a class."""
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        for statement in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(statement, (ast.Assign, ast.AnnAssign)):
                value = getattr(statement.value, "value", None)
                if isinstance(value, str) and value.startswith(PREFIX):
                    yield value


PASSES = {name: file for file in python_files("passes") for name in pass_names(file)}


@pytest.mark.parametrize("name", PASSES)
def test_pass_has_its_own_file_and_lit_test(name: str) -> None:
    short = name.removeprefix(PREFIX)
    assert PASSES[name] == Path("passes", f"{short.replace('-', '_')}.py")
    lit_test = LIT_TESTS / f"{short}.mlir"
    assert lit_test in repository_files(), f"write {lit_test}"


def test_registry_has_the_passes_of_the_files() -> None:
    from niwaki.passes import REGISTRY

    assert sorted(REGISTRY) == sorted(PASSES)


def test_lit_tests_belong_to_passes() -> None:
    """reorder-kernels-rejected.mlir belongs to the pass sparse-pattern-reorder-kernels."""
    passes = tuple(name.removeprefix(PREFIX) for name in PASSES)
    tests = [file for file in repository_files() if file.parent == LIT_TESTS]
    assert [test.name for test in tests if not test.stem.startswith(passes)] == []


def test_no_path_of_a_machine() -> None:
    """Where a file lay on the machine somebody worked on means nothing to others."""
    folders = "|".join(("home", "root", "work", "Users"))
    path = re.compile(rf"(?<![\w.}}])/({folders})/\w")
    found = [
        f"{file}:{number}: {line.strip()}"
        for file in repository_files()
        for number, line in enumerate(text_lines(file), 1)
        if path.search(line)
    ]
    assert found == []


def text_lines(file: Path) -> list[str]:
    """The lines of a text file; none of a binary one."""
    content = (ROOT / file).read_bytes()
    return [] if b"\0" in content else content.decode().splitlines()
