"""The parts of a report: peaks, plots, pictures, and what is told where something lacks."""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_bundle

from niwaki.elements import F32
from niwaki.errors import NiwakiError
from niwaki.records import LayerRecord
from niwaki.runtime import peak, report_page
from niwaki.runtime.bundle import open_bundle
from niwaki.runtime.kernel_picture import kernel_picture
from niwaki.runtime.layer_rows import Row
from niwaki.runtime.peak import Peak, measure_peak
from niwaki.runtime.plots import named, rated, roofline_plot, time_plot
from niwaki.schemes import sample
from niwaki.targets import get_target


def record(name: str = "conv", kept: int = 100, **changes: Any) -> LayerRecord:
    plain = LayerRecord(name, "conv 3x3", "dense", "gather 8x3", kept, 200, 600, 800)
    return replace(plain, **{"positions": 50, "activation_bytes": 400, **changes})


def row(name: str, seconds: float, **changes: Any) -> Row:
    return Row(name, "conv 3x3", "gather 8x3", "layer", record(name, **changes), seconds)


# peaks


@pytest.mark.parametrize("threads", [1, 2])
def test_peak_kernel_multiplies_and_adds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(peak, "ROUNDS", 3)
    target = get_target("host")
    sums = peak._kernel(target, threads, tmp_path / "peak.niwaki")()
    accumulators = np.arange(float(peak.ACCUMULATORS))
    for _ in range(3):
        accumulators = accumulators / 2 + 0.5
    assert sums.shape == (threads * target.vector(F32).lanes,)
    np.testing.assert_allclose(sums, accumulators.sum() + 0.5, rtol=1e-6)


def test_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peak, "SECONDS", 0.02)
    measured = measure_peak(1)
    assert measured.gflops > 0
    assert measured.bandwidth > 0


# plots


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]+)</text>", svg)


def test_time_plot() -> None:
    rows = [row("first", 1e-6), replace(row("odd $x$ <b>", 2e-6), kind="iree"), row("not run", 0)]
    found = texts(time_plot(rows, 1e-7))
    assert "first  (conv 3x3)" in found
    assert "odd $x$ &lt;b&gt;  (conv 3x3)" in found
    assert not any("not run" in text for text in found)
    assert {"layers with a kernel", "compiled by IREE", "between kernels"} <= set(found)
    assert "copies and poolings" not in found


def test_roofline() -> None:
    rows = [row("first", 1e-6), row("far", 1e-6, kept=10), row("idle", 1e-6, positions=0)]
    found = texts(roofline_plot(rows, Peak(123.4, 5.67)))
    assert {"123 GFLOP/s, multiply-adds in registers", "5.7 GB/s, memory", "far"} <= set(found)
    assert "idle" not in found


def test_rows_without_a_rate_are_not_shown() -> None:
    copy = Row("a", "layout copy", "copy_rows_0", "other", None, 1e-6)
    assert rated([copy, row("idle", 1e-6, positions=0), row("unmeasured", 0)]) == []


def test_names_do_not_cover_one_another() -> None:
    rows = [row("close", 1e-6), row("longest", 1.05e-6), row("apart", 1e-7)]
    assert [point.layer for point in named(rows)] == ["longest", "apart"]


# pictures


def test_picture_of_kernels() -> None:
    nonzero = np.zeros((2, 3, 6), bool)
    nonzero[1, 2, 5] = nonzero[0, 0, 0] = True
    svg = kernel_picture(record(kernel_size=(2, 3), sample=sample(nonzero)))
    # Kernels are 3 taps of 3 pixels wide and 2 high, 2 pixels apart.
    assert 'viewBox="0 0 31 14"' in svg
    assert svg.split('class="kept"')[1].split('"')[1] == "M0 0h3v3h-3zM28 11h3v3h-3z"
    assert svg.split('class="ground"')[1].split("/>")[0].count("M") == 6


def test_planes_of_a_kernel_stand_side_by_side() -> None:
    nonzero = np.zeros((1, 1, 12), bool)
    nonzero[0, 0, 11] = True
    svg = kernel_picture(record(kernel_size=(3, 2, 2), sample=sample(nonzero)))
    assert 'viewBox="0 0 18 6"' in svg
    assert 'd="M15 3h3v3h-3z"' in svg


def test_one_row_for_kernels_of_one_dimension() -> None:
    svg = kernel_picture(record(kernel_size=(4,), sample=["5"]))
    assert 'd="M3 0h3v3h-3zM9 0h3v3h-3z"' in svg


def test_no_picture() -> None:
    assert kernel_picture(record()) == ""


# the page


@pytest.mark.parametrize("estimated", [0, 1500])
@pytest.mark.parametrize("tuned", [0, 2300])
def test_times_of_layers_alone(affine_path: Path, estimated: int, tuned: int) -> None:
    """A column for each, if a layer has one; rows without a layer have empty cells."""
    bundle = open_bundle(affine_path)
    layer = replace(bundle.layers[0], estimated_ns=estimated, measured_ns=tuned)
    noted = replace(bundle, manifest=replace(bundle.manifest, layers=[layer]))
    page = report_page.render(noted, None, "none measured")
    headings = re.findall(r'<button type="button">([^<]*)', page)
    expected = ["estimated"] * (estimated > 0) + ["tuned"] * (tuned > 0)
    assert headings[headings.index("of CSR") + 1 :] == expected
    assert ("1.5 us" in page) == (estimated > 0)
    assert ("2.3 us" in page) == (tuned > 0)
    for row in re.findall(r"<tr class.*?</tr>", page, re.DOTALL):
        assert row.count("<td") == len(headings)


def test_names_cannot_break_the_page(affine_path: Path) -> None:
    bundle = open_bundle(affine_path)
    layers = [replace(bundle.layers[0], name="<script>alert(1)</script>")]
    odd = replace(bundle, manifest=replace(bundle.manifest, layers=layers))
    page = report_page.render(odd, None, "of <b>")
    assert "<script>alert" not in page
    assert "No times: of &lt;b&gt;" in page


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("x86-64-v3" if platform.machine() == "aarch64" else "arm64", "compile the model with"),
        ("vulkan", "layers are timed on CPUs only"),
    ],
)
def test_bundle_for_another_machine(tmp_path: Path, target: str, why: str) -> None:
    bundle = open_bundle(tiny_bundle.affine_bundle(tmp_path / "net.niwaki", target))
    bundle.write_report(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert re.search(f"No times: [^<]*{why}", page)
    assert "block_punched(8x64)" in page
    assert 'id="roofline"' not in page


def test_missing_packages(
    affine_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    message = "reports need Jinja2 and Matplotlib: pip install 'niwaki[report]'"
    with pytest.raises(NiwakiError, match=f"^{re.escape(message)}$"):
        report_page.write_report(open_bundle(affine_path), tmp_path / "report.html")
    assert not [*tmp_path.iterdir()]


def test_a_wrong_path_is_told_before_measuring(
    affine_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_page, "measure", lambda *_: pytest.fail("measured"))
    with pytest.raises(NiwakiError, match=r"folder .* does not exist; create it first"):
        report_page.write_report(open_bundle(affine_path), tmp_path / "none" / "report.html")
