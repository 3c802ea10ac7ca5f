"""What others chose to call things never moves a terminal's cursor."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_bundle
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from niwaki.cli import main
from niwaki.errors import CompilerBug, NiwakiError
from niwaki.printable import printable
from niwaki.records import DispatchRecord, LayerRecord, Remark
from niwaki.runtime.bundle import open_bundle, write_bundle
from niwaki.runtime.layer_times import LayerTimes, RunTime
from niwaki.runtime.manifest import Manifest
from niwaki.runtime.report import report_text
from niwaki.runtime.report_page import render
from niwaki.runtime.times_table import times_text
from niwaki.signature import TensorSpec

# Colour, title of the window, back, new line, one-byte CSI, and writing from right to left.
EVIL = "a\x1b[31m\x1b]0;b\x07\b\r\nc\x9b2Jd\x00\x7f\u202e\ud800e"


def is_harmless(text: str) -> bool:
    """Whether only line ends are no visible characters."""
    kinds = {unicodedata.category(letter) for letter in text if letter != "\n"}
    return not kinds & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(st.characters(exclude_categories=())))
def test_any_text(text: str) -> None:
    assert is_harmless(printable(text))
    assert "\n" not in printable(text)
    if text.isprintable():
        assert printable(text) == text


def test_as_python_writes_it() -> None:
    assert printable(EVIL) == (r"a\x1b[31m\x1b]0;b\x07\x08\r\nc\x9b2Jd\x00\x7f\u202e\ud800e")
    assert printable("naïve 層 'quoted' \\") == "naïve 層 'quoted' \\"


@pytest.mark.parametrize("kind", [NiwakiError, CompilerBug])
def test_errors(kind: type[Exception]) -> None:
    assert str(kind(f"layer {EVIL} is wrong")) == f"layer {printable(EVIL)} is wrong"


def evil_manifest() -> Manifest:
    """One in which everything that has a name has that one."""
    plain = tiny_bundle.affine_manifest()
    evil = EVIL.replace("\ud800", "")  # which UTF-8 cannot express
    layer = LayerRecord(evil, evil, evil, f"{evil} 8x3", 30, 60, 200, 240, evil)
    inputs, outputs = (
        tuple(replace(spec, name=evil) for spec in specs)
        for specs in (plain.signature.inputs, plain.signature.outputs)
    )
    return replace(
        plain,
        layers=[layer],
        dispatches=[DispatchRecord(evil, evil, evil), DispatchRecord(evil, evil, "")],
        remarks=[Remark(evil, evil, evil)],
        signature=replace(plain.signature, inputs=inputs, outputs=outputs),
        target=evil,
        niwaki=evil,
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle in a file of such a name."""
    path = tmp_path_factory.mktemp("evil") / "a\x1b[31m\nb.niwaki"
    code = tiny_bundle.compiled(tiny_bundle.AFFINE)
    write_bundle(path, evil_manifest(), code, tiny_bundle.WEIGHTS)
    return path


@pytest.mark.parametrize("width", [None, 30, 80, 500])
def test_tables(width: int | None) -> None:
    manifest = evil_manifest()
    runs = [RunTime(run.layer, run.kernel, run.family, 1e-6) for run in manifest.dispatches]
    times = LayerTimes(runs, 3e-6, 1e-6, 10, 1)
    for text in (report_text(manifest, width), times_text(manifest, times, width)):
        assert "\\x" in text
        assert is_harmless(text)


def test_specs_and_remarks() -> None:
    assert is_harmless(str(TensorSpec(EVIL, (2, 3), "float32")))
    assert is_harmless(str(Remark(EVIL, EVIL, EVIL)))


@pytest.mark.parametrize("command", ["inspect", "run", "bench", "compile", "report"])
def test_commands(command: str, path: Path, tmp_path: Path) -> None:
    """What they print, also where they refuse."""
    output = ["-o", str(tmp_path / "none" / EVIL[:5])] if command in ("compile", "report") else []
    for file in (path, path.with_name("none\x1b[2J.onnx")):
        result = CliRunner().invoke(main, [command, str(file), *output])
        assert is_harmless(result.output), result.output
        assert len(result.output) > 10


@pytest.mark.parametrize("flags", [[], ["--verify-diagnostics"], ["--remarks"]])
def test_diagnostics_of_niwaki_opt(flags: list[str], tmp_path: Path) -> None:
    """Of a verifier's error, which quotes a name of such letters, in a file of such a name."""
    path = tmp_path / "a\x1b[31m\nb.mlir"
    path.write_text('func.func @"a\\1B[2J\\07"() -> i32 { return }\n')
    command = [sys.executable, "-m", "niwaki.passes.opt", *flags, str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "error" in done.stderr
    assert is_harmless(done.stderr), done.stderr


def test_json_is_escaped_as_json_does(path: Path) -> None:
    result = CliRunner().invoke(main, ["inspect", "--json", str(path)])
    assert "\x1b" not in result.output
    assert "\x1b" in json.loads(result.output)["layers"][0]["name"]


def test_page(path: Path) -> None:
    bundle = open_bundle(path)
    layer = replace(bundle.layers[0], name=f"<script>{bundle.layers[0].name}")
    manifest = replace(bundle.manifest, layers=[layer])
    page = render(replace(bundle, manifest=manifest), None, f"because {EVIL}")
    assert is_harmless(page)
    assert "<script>a" not in page
    assert r"&lt;script&gt;a\x1b" in page
