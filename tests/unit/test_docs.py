"""Documents say what is so: generated ones are up to date, code runs, links lead somewhere."""

from __future__ import annotations

import ast
import functools
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from repository import ROOT, python_files
from torch import nn

from niwaki.dialects import context
from niwaki.frontend import import_torch
from niwaki.passes import Session, parse_pipeline, run_pipeline
from niwaki.passes.pipelines import RAISE
from niwaki.schemes import SCHEMES, detect
from niwaki.signature import DTYPES
from niwaki.targets import TARGETS

DOCS = ROOT / "docs"
GENERATOR = DOCS / "generate.py"
TUTORIAL = DOCS / "writing-a-pass.md"
SUPPORTED = DOCS / "supported.md"

# Where the tutorial's files lie: beside the installed passes, as if its reader had added them.
LAUNCHER = """\
import niwaki.dialects, niwaki.passes, niwaki.passes.families, niwaki.passes.kernels
niwaki.dialects.__path__.append({folder!r} + "/dialects")
niwaki.passes.__path__.append({folder!r} + "/passes")
niwaki.passes.families.__path__.append({folder!r} + "/passes/families")
niwaki.passes.kernels.__path__.append({folder!r} + "/passes/kernels")
import niwaki.passes.flush_tiny_weights
"""
LIT_CONFIG = """\
lit_config.load_config(config, {original!r})
config.test_source_root = {folder!r}
config.test_exec_root = {folder!r} + "/out"
# Substitutions apply in order: this one leaves nothing for the original.
config.substitutions.insert(0, (r"(?<![\\w./-])niwaki-opt(?![\\w./-])", {niwaki_opt!r}))
"""


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def assert_succeeds(*command: str, cwd: Path = ROOT) -> None:
    result = run(*command, cwd=cwd)
    assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"


def blocks(document: Path, language: str) -> list[str]:
    """The document's blocks of code in a language."""
    text = document.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@functools.cache
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_pipeline_is_up_to_date() -> None:
    assert_succeeds(sys.executable, str(GENERATOR), "--check")


def test_check_tells_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generator(), "OUTPUT", tmp_path / "pipeline.md")
    assert generator().check("# The pipeline\n") == 1
    printed = capsys.readouterr().out
    assert "docs/pipeline.md is not what the passes do now: run `make docs`" in printed
    assert "+# The pipeline" in printed


def test_long_lines_are_broken_and_complete() -> None:
    operands = ", ".join(f"%value_{i}" for i in range(20))
    line = f'    %y = "sparse_pattern.conv"({operands}) {{groups = 1 : i64}} : (tensor<1xf32>)'
    parts = list(generator().broken(line))
    assert max(map(len, parts)) <= generator().WIDTH
    assert " ".join(part.strip() for part in parts) == line.strip()


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the tutorial tells its reader to write."""
    folder = tmp_path_factory.mktemp("tutorial")
    named = re.compile(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```", re.DOTALL | re.MULTILINE)
    for name, content in named.findall(TUTORIAL.read_text(encoding="utf-8")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    launcher = LAUNCHER.format(folder=str(folder))
    (folder / "tests/unit/conftest.py").write_text(launcher, encoding="utf-8")
    (folder / "launch.py").write_text(
        f"{launcher}from niwaki.passes.opt import main\nmain()\n", encoding="utf-8"
    )
    (folder / "tests/filecheck/lit.cfg.py").write_text(
        LIT_CONFIG.format(
            original=str(ROOT / "tests/filecheck/lit.cfg.py"),
            folder=str(folder / "tests/filecheck"),
            niwaki_opt=f"{sys.executable} {folder / 'launch.py'}",
        ),
        encoding="utf-8",
    )
    return folder


def test_tutorial_pass_is_in_style(tutorial: Path) -> None:
    tests = [str(file) for file in (tutorial / "tests/unit").glob("test_*.py")]
    files = (str(tutorial / "passes"), str(tutorial / "dialects"), *tests)
    config = ("--config", str(ROOT / "pyproject.toml"))
    assert_succeeds("ruff", "check", *config, *files)
    assert_succeeds("ruff", "format", "--check", *config, *files)


def test_tutorial_lit_tests_pass(tutorial: Path) -> None:
    assert_succeeds("lit", "-v", str(tutorial / "tests/filecheck"))


def test_tutorial_unit_tests_pass(tutorial: Path) -> None:
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".")
    assert_succeeds(*command, "tests/unit", cwd=tutorial)


def test_tutorial_script_runs(tmp_path: Path) -> None:
    (script,) = (
        block for block in blocks(TUTORIAL, "python") if block.startswith("import torch\n")
    )
    assert_succeeds(sys.executable, "-c", script, cwd=tmp_path)


@pytest.mark.parametrize("document", sorted(DOCS.glob("*.md")), ids=lambda path: str(path.name))
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", document.read_text(encoding="utf-8"))
    for link in links:
        file, _, anchor = link.partition("#")
        target = (document.parent / file) if file else document
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def anchors(document: Path) -> set[str]:
    """Anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def messages(documented: str) -> list[str]:
    """The fixed parts of the messages in tables: last cells of columns `remark` and `message`."""
    found = []
    for table in re.findall(r"(?:^\|.*\|\n)+", documented, re.MULTILINE):
        heading, _, *rows = [
            [cell.strip() for cell in row.split("|")] for row in table.splitlines()
        ]
        if heading[-2] in ("remark", "message"):
            found += [text for row in rows for text in re.findall(r"`([^`]+)`", row[-2])]
    return [part for text in found for part in text.split("...") if part.strip()]


@functools.cache
def strings_of_the_sources() -> str:
    """Every string in the package's code; what an f-string computes is a line break."""
    found = []
    for folder in ("niwaki", "frontend", "passes", "runtime"):
        for file in python_files(folder):
            for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
                parts = node.values if isinstance(node, ast.JoinedStr) else [node]
                texts = [getattr(part, "value", None) for part in parts]
                found.append("\n".join(text for text in texts if isinstance(text, str)))
    return "\n".join(found)


def test_sources_to_build_are_of_the_installed_release() -> None:
    """Programs for a device must be of the release of IREE that compiles bundles."""
    for file in ("docs/deploy.md", "examples/c/CMakeLists.txt"):
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.findall(r"--branch v(\S+)", text) == [version("iree-base-runtime")], file


def test_documented_reasons_are_those_of_detection() -> None:
    """The tables' weights, made anew."""
    half = np.random.default_rng(0).random((64, 64, 9)) < 0.5
    # 7919, a prime, scatters what is kept.
    kept = np.arange(32 * 64 * 9) * 7919 % 1000 < 794
    pairs = np.repeat(kept.reshape(32, 64, 9), 2, axis=0)
    text = SUPPORTED.read_text(encoding="utf-8")
    for weights in (np.ones((8, 8, 9)), half, pairs):
        assert f"| `{detect(weights.astype(np.float32)).reason}` |" in text
    depthwise = "depthwise convolutions read all of their weights ("
    assert depthwise in text
    assert depthwise in strings_of_the_sources()


@pytest.mark.parametrize("part", messages(SUPPORTED.read_text(encoding="utf-8")))
def test_documented_messages_exist(part: str) -> None:
    assert part in strings_of_the_sources()


def test_documented_targets_are_those_there_are() -> None:
    text = SUPPORTED.read_text(encoding="utf-8")
    section = text[text.index("\n## Targets") : text.index("\n## Running")]
    rows = [row.split(" | ") for row in re.findall(r"^\| (`.*) \|$", section, re.MULTILINE)]
    elements = {name: ", ".join(TARGETS[name].elements) or "all" for name in TARGETS}
    assert {row[0].strip("`"): row[-1] for row in rows} == {"host": "all", **elements}


def test_documented_element_types_are_those_there_are() -> None:
    text = SUPPORTED.read_text(encoding="utf-8")
    section = text[text.index("\n## Element types") : text.index("\n## Layers with kernels")]
    taken = [row for row in section.splitlines() if "| yes |" in row]
    assert sorted(re.findall(r"`(\w+)`", "".join(taken))) == sorted(DTYPES)


def test_documented_schemes_are_those_there_are() -> None:
    text = SUPPORTED.read_text(encoding="utf-8")
    section = text[text.index("\n## Schemes") : text.index("The cheapest by")]
    assert set(re.findall(r"^\| `(\w+)", section, re.MULTILINE)) == set(SCHEMES)


def test_documented_activations_fuse() -> None:
    """Each behind a convolution of its own; nothing of linalg is left."""
    section = SUPPORTED.read_text(encoding="utf-8").partition("### Fused into a layer")[2]
    fused, _, rest = section.partition("Not fused")
    names = re.findall(r"`(\w+)`", fused)
    assert len(names) > 15
    left = [name for name in names if "linalg." in raised(ACTIVATIONS.get(name, getattr(nn, name)))]
    assert not left
    assert rest.startswith(", and computed by IREE after the layer: `GLU`")
    assert "linalg." in raised(lambda: nn.GLU(1))


ACTIVATIONS = {"Threshold": lambda: nn.Threshold(0.1, -3.0)}


def raised(activation: Callable[[], nn.Module]) -> str:
    """A convolution and what follows it, when layers are raised and tails fused."""
    with context() as ctx:
        model = nn.Sequential(nn.Conv2d(3, 4, 3), activation()).eval()
        module = import_torch(model, torch.ones(1, 3, 5, 5), ctx).module.operation
        run_pipeline(module, parse_pipeline(f"builtin.module({','.join(RAISE)})"), Session())
        return str(module.get_asm(large_elements_limit=4))
