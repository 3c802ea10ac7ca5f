"""The table of layers."""

from __future__ import annotations

from dataclasses import replace

import tiny_bundle

from niwaki.records import LayerRecord
from niwaki.runtime.report import notes, report_json, report_text, size_text, totals

TABLE = """\
layer   op         scheme                kernel         kept   of   bytes   of dense   of \
CSR   reason
──────────────────────────────────────────────────────────────────────────────────────────\
───────────────────────────
conv1   conv 3x3   block_punched(8x64)   gather 8x3    50.0%   60   200 B      83.3%    83.3%
fc      linear     dense                 (IREE)       100.0%   40   160 B     100.0%    50\
.0%   only 0% zeros [of 40]
2 layers, 70 of 100 weights kept (70.0%); 360 B packed, 90.0% of dense (400 B), \
64.3% of CSR (560 B)
conv1: remark: sparse-pattern-select-kernels: tile of 2 rows"""


def test_table() -> None:
    lines = report_text(tiny_bundle.affine_manifest()).splitlines()
    expected = TABLE.splitlines()
    assert lines[1].strip("─") == ""
    assert lines[:1] + lines[2:] == expected[:1] + expected[2:]


def test_narrow_table_loses_nothing() -> None:
    manifest = tiny_bundle.affine_manifest()
    text = report_text(manifest, width=80)
    assert "…" not in text
    assert max(map(len, text.splitlines()[: -len(notes(manifest))])) <= 80


def test_no_layers() -> None:
    manifest = replace(tiny_bundle.affine_manifest(), layers=[], remarks=[])
    assert report_text(manifest).splitlines()[-1] == (
        "0 layers, 0 of 0 weights kept (-); 0 B packed, - of dense (0 B), - of CSR (0 B)"
    )


def test_layer_without_weights() -> None:
    pool = LayerRecord("pool", "max pool 2x2", "", "pool 1x16", 0, 0, 0, 0)
    manifest = replace(tiny_bundle.affine_manifest(), layers=[pool])
    assert totals(manifest)["csr_bytes"] == 0
    assert "pool    max pool 2x2" in report_text(manifest)


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
    assert value["format_version"] == 4


def test_size_text() -> None:
    sizes = (0, 999, 1000, 1_234_567, 2_500_000_000)
    assert [*map(size_text, sizes)] == ["0 B", "999 B", "1.0 kB", "1.2 MB", "2.5 GB"]
