"""The manifest as JSON, and what is said of one that is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import tiny_bundle

from niwaki.errors import NiwakiError
from niwaki.runtime.manifest import read_manifest


def as_json() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(tiny_bundle.affine_manifest().to_bytes())
    return value


def test_round_trip() -> None:
    manifest = tiny_bundle.affine_manifest()
    assert read_manifest(manifest.to_bytes(), "net") == manifest


def test_format_version_comes_first() -> None:
    assert next(iter(as_json())) == "format_version"


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000])
def test_not_json(data: bytes) -> None:
    with pytest.raises(NiwakiError, match=r"^net: manifest.json is not valid JSON; compile"):
        read_manifest(data, "net")


@pytest.mark.parametrize("data", [b"[]", b"{}", b"3"])
def test_no_version(data: bytes) -> None:
    with pytest.raises(
        NiwakiError, match=r"^net: manifest.json: field 'format_version' is missing$"
    ):
        read_manifest(data, "net")


@pytest.mark.parametrize("version", [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, True, "1", None])
def test_other_version(version: Any) -> None:
    data = json.dumps({"format_version": version, "unheard": "of"}).encode()
    with pytest.raises(
        NiwakiError, match=r"^net: bundle format is .*, this Niwaki reads 9; compile"
    ):
        read_manifest(data, "net")


def drop(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda value: value.__delitem__(name)


def put(item: Any, *keys: Any) -> Callable[[dict[str, Any]], None]:
    def change(value: Any) -> None:
        *path, last = keys
        for key in path:
            value = value[key]
        value[last] = item

    return change


CALL = {"tuple": [{"tuple": [0]}, {"dict": {}}]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop("target"), ": field 'target' is missing"),
        (put(1, "colour"), ": unknown field 'colour'"),
        (put(3, "target"), ".target must be a string"),
        (put("\ud800", "function"), ".function must be a string of whole characters"),
        (put("x", "layers"), ".layers must be a list"),
        (put("x", "layers", 1), ".layers[1] must be an object"),
        (put(1.5, "layers", 0, "kept"), ".layers[0].kept must be an integer"),
        (put(True, "layers", 0, "kept"), ".layers[0].kept must be an integer"),
        (put(-1, "layers", 0, "kept"), ".layers[0].kept must be from 0 to 2^63 - 1"),
        (put(2**63, "layers", 0, "weights"), ".layers[0].weights must be from 0 to 2^63 - 1"),
        (
            put(["123"], "layers", 0, "sample"),
            ".layers[0].sample must hold kernels of its kernel_size, as hex digits",
        ),
        (put([], "digests"), ".digests must be an object"),
        (put(1, "digests", "module.vmfb"), ".digests.module.vmfb must be a string"),
        (put("12", "digests", "w"), ".digests.w must be a sha256 in hexadecimal"),
        (put("cuda", "driver"), ".driver must be one of local, vulkan, got 'cuda'"),
        (
            put("bfloat16", "signature", "inputs", 0, "dtype"),
            ".signature.inputs[0].dtype must be one of "
            "float32, float16, float64, int64, int32, "
            "int16, int8, uint64, uint32, uint16, uint8, bool, got 'bfloat16'",
        ),
        (
            put([-1], "signature", "outputs", 0, "shape"),
            ".signature.outputs[0].shape[0] must be from 0 to 2^63 - 1",
        ),
        (
            put("x", "signature", "output_tree"),
            ".signature.output_tree has a node that is no tensor, tuple, list or dict",
        ),
        (
            put({"tuple": [0], "dict": {}}, "signature", "output_tree"),
            ".signature.output_tree has a node that is no tensor, tuple, list or dict",
        ),
        (
            put(False, "signature", "output_tree"),
            ".signature.output_tree has a node that is no tensor, tuple, list or dict",
        ),
        (
            put({"list": [0, 0]}, "signature", "output_tree"),
            ".signature.output_tree must hold each of its 1 tensors once, in order",
        ),
        (
            put(0, "signature", "input_tree"),
            ".signature.input_tree must be a tuple of a tuple and a dict",
        ),
    ],
)
def test_wrong_field(change: Callable[[dict[str, Any]], None], message: str) -> None:
    value = as_json()
    change(value)
    with pytest.raises(NiwakiError) as caught:
        read_manifest(json.dumps(value).encode(), "net")
    assert str(caught.value) == f"net: manifest.json{message}"
