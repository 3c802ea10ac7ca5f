"""Manifests that describe another module than the one beside them."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_bundle
from damaged_bundles import with_manifest

import niwaki
from niwaki.errors import NiwakiError
from niwaki.runtime import abi
from niwaki.runtime.bundle import open_bundle
from niwaki.runtime.layer_times import time_layers
from niwaki.signature import DTYPES

X = np.ones((2, 3), np.float32)
OTHERS: list[tuple[list[int], str]] = [
    ([2, 300], "float32"),
    ([2], "float32"),
    ([3, 2], "float32"),
    ([6], "float32"),
    ([], "float32"),
    ([2, 3, 1], "float32"),
    ([2, 0], "float32"),
    ([2**40, 2**40], "float32"),
    *(([2, 3], dtype) for dtype in DTYPES if dtype != "float32"),
]


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(NiwakiError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("shape", "dtype"), OTHERS)
@pytest.mark.parametrize("kind", ["input", "output"])
def test_other_tensors(
    kind: str, shape: list[int], dtype: str, affine_path: Path, tmp_path: Path
) -> None:
    def change(manifest: dict[str, Any]) -> None:
        manifest["signature"][f"{kind}s"][0].update(shape=shape, dtype=dtype)

    path = with_manifest(affine_path, tmp_path / "net.niwaki", change)
    name = "x" if kind == "input" else "y"
    said = "x".join(map(str, (*shape, dtype)))
    message = (
        f"{path}: its manifest says {kind} {name}: {said}, its module 2x3xf32; "
        "compile the model again"
    )
    assert refusal(lambda: niwaki.load(path)) == message
    assert refusal(lambda: time_layers(open_bundle(path))) == message


@pytest.mark.parametrize("count", [0, 2])
def test_other_numbers_of_tensors(count: int, affine_path: Path, tmp_path: Path) -> None:
    def change(manifest: dict[str, Any]) -> None:
        signature = manifest["signature"]
        signature["outputs"] *= count
        signature["output_tree"] = {"list": list(range(count))}

    path = with_manifest(affine_path, tmp_path / "net.niwaki", change)
    assert refusal(lambda: niwaki.load(path)) == (
        f"{path}: its manifest says {count} outputs, its module has 1; compile the model again"
    )


@pytest.mark.parametrize(("shape", "dtype"), OTHERS)
def test_results_are_checked_too(
    shape: list[int], dtype: str, affine_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should a module say of itself what is not so."""
    monkeypatch.setattr(abi, "_compare", lambda *_: None)
    bundle = open_bundle(affine_path)
    (output,) = bundle.manifest.signature.outputs
    other = replace(output, shape=tuple(shape), dtype=dtype)
    signature = replace(bundle.manifest.signature, outputs=(other,))
    network = replace(bundle, manifest=replace(bundle.manifest, signature=signature)).load()
    if dtype in ("int32", "uint32"):  # as large: read as other numbers, but nothing else
        return
    assert refusal(lambda: network(X)) == (
        f"{affine_path}: output {other} came with shape 2x3 and 24 bytes; compile the model again"
    )


def test_other_release_of_iree(affine_path: Path, tmp_path: Path) -> None:
    path = with_manifest(
        affine_path, tmp_path / "net.niwaki", lambda manifest: manifest.update(iree="3.1.4")
    )
    here = importlib.metadata.version("iree-base-runtime")
    message = (
        f"{path} was compiled by IREE 3.1.4, and this environment has {here}: "
        "install iree-base-runtime==3.1.4, or compile the model again"
    )
    assert refusal(lambda: niwaki.load(path)) == message
    assert refusal(lambda: time_layers(open_bundle(path))) == message


def test_release_that_is_unknown(affine_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """IREE built from source has no metadata: then loading is tried."""

    def unknown(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(abi, "version", unknown)
    np.testing.assert_allclose(niwaki.load(affine_path)(X), tiny_bundle.affine(X), rtol=1e-6)


def test_elements_cover_all_dtypes() -> None:
    known = {dtype for dtypes in abi._ELEMENTS.values() for dtype in dtypes}
    assert known == set(DTYPES)
    assert all(re.fullmatch(r"[a-z]+\d+", element) for element in abi._ELEMENTS)
