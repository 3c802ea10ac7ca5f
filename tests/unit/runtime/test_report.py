"""The table of layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import tiny_bundle
from hypothesis import example, given, settings
from hypothesis import strategies as st

from niwaki.elements import ELEMENTS
from niwaki.records import LayerRecord, Remark
from niwaki.runtime.manifest import Manifest
from niwaki.runtime.quantities import size_text
from niwaki.runtime.report import report_json, report_text, totals

LAYER = LayerRecord("one", "linear", "dense", "matvec 8x1", 4, 8, 40, 32)

TEXT = """\
layer  op        scheme               kernel    kept
----------------------------------------------------
conv1  conv 3x3  block_punched(8x64)  gather   50.0%
fc     linear    dense                (IREE)  100.0%

2 layers, 70 of 100 weights kept (70.0%)
schemes: 1 block_punched, 1 dense
360 B packed: 90.0% of dense (400 B), 64.3% of CSR (560 B)
left to IREE: 1 of 1 kernel runs of a call

only 0% zeros [of 40]
    fc
tile of 2 rows
    conv1"""


def test_text() -> None:
    assert report_text(tiny_bundle.affine_manifest()) == TEXT


def test_layers_without_weights() -> None:
    """Attention has none."""
    layer = LayerRecord("a", "attention", "", "attention 8x3", 0, 0, 0, 0, multiply_adds=5)
    manifest = replace(tiny_bundle.affine_manifest(), layers=[layer], remarks=[], dispatches=[])
    assert report_text(manifest).splitlines() == [
        "layer  op         kernel     kept",
        "---------------------------------",
        "a      attention  attention     -",
        "",
        "1 layer without weights",
    ]


def long_manifest(names: Sequence[str], element: str = "f32") -> Manifest:
    """Layers of the widest words there are, every other one called twice, with remarks."""
    layers, remarks = [], []
    for number, name in enumerate(names):
        scheme = f"block_column_row({number + 1}x128)"
        kernel = "pattern_gemm 64x3 tiles 12"
        op = "conv 3x3x3/2 + max 2x2"
        layer = LayerRecord(name, op, scheme, kernel, 1, 8, 100, 400, estimated_ns=98765432)
        layers += [replace(layer, element=element)] * (1 + number % 2)
        remarks.append(Remark(name, "some-pass", "a reason that all layers have in common"))
        remarks.append(Remark(name, "some-pass", f"a reason of {number} " + "in many words " * 9))
    return replace(tiny_bundle.affine_manifest(), layers=layers, remarks=remarks)


@settings(max_examples=40)
@given(
    st.lists(st.text(min_size=1, max_size=100), max_size=4, unique=True),
    st.sampled_from(sorted(ELEMENTS)),
)
@example(["features.stage_3.block_12.downsample.convolution.weight"], "f16")
@example(["\x1b[31mred\x1b[0m", "line\nbreak"], "f32")
def test_fits_80_columns(names: list[str], element: str) -> None:
    """Whatever layers are called, of any type; and no control character reaches the terminal."""
    text = report_text(long_manifest(names, element))
    assert max(map(len, text.split("\n"))) <= 80
    assert all(line.isprintable() for line in text.split("\n"))


def test_each_thing_is_told_once() -> None:
    names = [f"layer{number}" for number in range(20)]
    text = report_text(long_manifest(names))
    assert text.count("a reason that all layers have in common") == 1
    assert "layer10, layer11 and 8 more" in " ".join(text.split())
    table = text.partition("\n\n")[0]
    assert [table.count(name) for name in ("layer0 ", "layer1 (2x)", "layer2 ")] == [1, 1, 1]
    assert "20 layers in 30 calls, 20 of 160 weights kept" in text


def test_times() -> None:
    """Of all calls together, and measured ones if there are any."""
    layer = replace(LAYER, estimated_ns=1500)
    manifest = replace(tiny_bundle.affine_manifest(), layers=[layer, layer])
    assert "  3.0 us\n" in report_text(manifest)
    assert "times: estimated, each layer alone on one core" in report_text(manifest)
    tuned = replace(manifest, layers=[layer, replace(layer, name="two", measured_ns=2500)])
    assert "  2.5 us\n" in report_text(tuned)
    assert "times: measured by tuning, each layer alone on one core" in report_text(tuned)


def test_no_layers() -> None:
    manifest = replace(tiny_bundle.affine_manifest(), layers=[], remarks=[], dispatches=[])
    assert report_text(manifest) == (
        "no layer has weights that could be pruned: IREE computes the whole network"
    )


def test_layer_without_weights() -> None:
    pool = LayerRecord("pool", "max pool 2x2", "", "pool 1x16", 0, 0, 0, 0)
    manifest = replace(tiny_bundle.affine_manifest(), layers=[pool])
    assert totals(manifest)["csr_bytes"] == 0
    assert "pool   max pool 2x2  pool" in report_text(manifest)


def test_json() -> None:
    value = report_json(tiny_bundle.affine_manifest())
    assert value["totals"] == {
        "weights": 100,
        "kept": 70,
        "packed_bytes": 360,
        "dense_bytes": 400,
        "csr_bytes": 560,
    }
    assert value["layers"][0]["name"] == "conv1"
    assert value["format_version"] == 10


def test_size_text() -> None:
    sizes = (0, 999, 1000, 1_234_567, 2_500_000_000)
    assert [*map(size_text, sizes)] == ["0 B", "999 B", "1.0 kB", "1.2 MB", "2.5 GB"]
