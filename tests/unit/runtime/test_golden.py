"""Golden arrays in a bundle, and what counts as the same numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_bundle
from damaged_bundles import members_of, rewrite

from niwaki.errors import NiwakiError
from niwaki.runtime.bundle import open_bundle, write_bundle
from niwaki.runtime.golden import Golden, difference, golden_size, moved, read_golden
from niwaki.signature import TensorSpec

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def golden_affine(path: Path) -> Path:
    """A bundle that knows what it must give."""
    manifest = tiny_bundle.affine_manifest()
    code = tiny_bundle.compiled(tiny_bundle.AFFINE, "host")
    golden = Golden([X], [tiny_bundle.affine(X)], [0.25])
    write_bundle(path, manifest, code, tiny_bundle.WEIGHTS, golden=golden)
    return path


def test_round_trip(tmp_path: Path) -> None:
    golden = open_bundle(golden_affine(tmp_path / "net.niwaki")).golden
    assert golden is not None
    assert golden.slack == [0.25]
    (given,), (wanted,) = golden.inputs, golden.outputs
    assert np.array_equal(given, X)
    assert np.array_equal(wanted, tiny_bundle.affine(X))


def test_every_kind_of_tensor() -> None:
    """Scalars, empty tensors, bytes: each begins where the signature says."""
    arrays: list[np.ndarray] = [
        np.array(2.5, np.float64),
        np.zeros((0, 3), np.float32),
        np.array([True, False, True]),
        np.arange(70, dtype=np.int8),
        np.arange(4, dtype=np.float16).reshape(2, 2),
    ]
    specs = tuple(TensorSpec(f"t{i}", a.shape, a.dtype.name) for i, a in enumerate(arrays))
    signature = replace(
        tiny_bundle.affine_manifest().signature, inputs=specs[:2], outputs=specs[2:]
    )
    golden = Golden(arrays[:2], arrays[2:], [0.0] * 3)
    contents = b"".join(golden.pieces())
    assert len(contents) == golden.size == golden_size(signature)
    read = read_golden(memoryview(contents), signature, golden.slack)
    for wanted, found in zip(arrays, [*read.inputs, *read.outputs], strict=True):
        assert found.dtype == wanted.dtype
        assert np.array_equal(found, wanted)


def differs(
    output: list[float], wanted: list[float], kind: str = "float32", slack: float = 0.0
) -> str:
    spec = TensorSpec("y", (len(wanted),), kind)
    golden = Golden([], [np.array(wanted, kind)], [slack])
    return difference([np.array(output, kind)], golden, [spec], 1e-2)


@pytest.mark.parametrize(
    ("output", "wanted", "kind", "told"),
    [
        ([1.0, 100.9], [1.9, 100.0], "float32", ""),
        ([1.0, 102.0], [1.0, 100.0], "float32", "off by 2 where numbers reach 100"),
        ([np.nan, 1.0], [0.0, 1.0], "float32", "not finite where it should be"),
        ([np.inf, 1.0], [np.inf, 1.0], "float32", ""),
        ([0.0, 0.0], [0.0, 0.0], "float32", ""),
        ([0.0, 1.0], [np.nan, 1.0], "float32", ""),
        ([1e-30, 0.0], [0.0, 0.0], "float32", "off by 1e-30 where numbers reach 0"),
        ([3, 4, 5], [3, 4, 6], "int64", ""),
        ([0, 0, 5], [3, 4, 5], "int64", "has 2 other numbers"),
        ([], [], "float32", ""),
    ],
)
def test_differences(output: list[float], wanted: list[float], kind: str, told: str) -> None:
    found = differs(output, wanted, kind)
    assert told in found
    assert bool(told) == bool(found)


@pytest.mark.parametrize(
    ("output", "wanted", "kind", "slack", "told"),
    [
        ([130.0, 1.0], [100.0, 1.0], "float32", 0.3, ""),
        ([132.0, 1.0], [100.0, 1.0], "float32", 0.3, "off by 32"),
        ([1.0, np.nan], [100.0, 1.0], "float32", 1.0, ""),
        ([0, 0, 0, 5], [3, 4, 5, 5], "int64", 0.3, ""),
        ([0, 0, 0, 0], [3, 4, 5, 5], "int64", 0.3, "has 4 other numbers"),
        ([0], [7], "int64", 1.0, ""),
    ],
)
def test_slack(
    output: list[float], wanted: list[float], kind: str, slack: float, told: str
) -> None:
    found = differs(output, wanted, kind, slack)
    assert told in found
    assert bool(told) == bool(found)


@pytest.mark.parametrize(
    ("output", "wanted", "kind", "share"),
    [
        ([99.0, 1.0], [100.0, 1.0], "float32", 0.01),
        ([-300.0, 1.0], [100.0, 1.0], "float32", 1.0),
        ([np.nan, 1.0], [100.0, 1.0], "float32", 1.0),
        ([np.nan, 1.0], [np.nan, 1.0], "float32", 0.0),
        ([0.0], [0.0], "float32", 0.0),
        ([1e-9], [0.0], "float32", 1.0),
        ([1, 2, 3, 4], [1, 2, 3, 5], "int64", 0.25),
        ([], [], "int64", 0.0),
        ([], [], "float32", 0.0),
    ],
)
def test_how_far_outputs_move(
    output: list[float], wanted: list[float], kind: str, share: float
) -> None:
    assert moved(np.array(output, kind), np.array(wanted, kind)) == pytest.approx(share)


def test_damaged_golden_arrays(tmp_path: Path) -> None:
    path = golden_affine(tmp_path / "net.niwaki")
    members = members_of(path)
    members["golden.bin"] = bytes(len(members["golden.bin"]))
    rewrite(path, members.items())
    with pytest.raises(NiwakiError, match=r"golden\.bin does not match its digest"):
        open_bundle(path)


def test_member_without_a_word_in_the_manifest(affine_path: Path, tmp_path: Path) -> None:
    members = {**members_of(affine_path), "golden.bin": b""}
    rewrite(tmp_path / "net.niwaki", members.items())
    with pytest.raises(NiwakiError, match=r"its members are not those that manifest.json tells of"):
        open_bundle(tmp_path / "net.niwaki")
