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


@pytest.mark.parametrize("version", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, True, "1", None])
def test_other_version(version: Any) -> None:
    data = json.dumps({"format_version": version, "unheard": "of"}).encode()
    with pytest.raises(
        NiwakiError, match=r"^net: bundle format is .*, this Niwaki reads 10; compile"
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


def several() -> dict[str, Any]:
    """A bundle for two targets, with golden outputs."""
    other = {**as_json(), "target": "arm64"}
    return {**as_json(), "others": [other], "golden": "0" * 64, "golden_slack": [0.5]}


def test_several_targets() -> None:
    manifest = read_manifest(json.dumps(several()).encode(), "net")
    assert [other.target for other in manifest.others] == ["arm64"]
    assert manifest.golden_slack == [0.5]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put([as_json()], "others", 0, "others"), ".others[0] must have no others, and no golden"),
        (put("0" * 64, "others", 0, "golden"), ".others[0] must have no others, and no golden"),
        (put([0.5], "others", 0, "golden_slack"), ".others[0] must have no others, and no golden"),
        (put(8, "others", 0, "format_version"), ".others[0].format_version must be that of the"),
        (put("0.1", "others", 0, "iree"), ".others[0].iree must be that of the first target"),
        (
            put([2, 2], "others", 0, "signature", "inputs", 0, "shape"),
            ".others[0].signature must be that of the first target",
        ),
        (
            put(as_json()["target"], "others", 0, "target"),
            ".others must be for targets that differ: host, host",
        ),
        (put("cuda", "others", 0, "driver"), ".others[0].driver must be one of local, vulkan"),
        (put("0" * 63, "golden"), ".golden must be a sha256 in hexadecimal, or empty"),
        (put("", "golden"), ".golden_slack must have a number for each golden output"),
        (put([], "golden_slack"), ".golden_slack must have a number for each golden output"),
        (put([1.5], "golden_slack"), ".golden_slack must have numbers from 0 to 1"),
        (put([-0.5], "golden_slack"), ".golden_slack[0] must be a number from 0"),
    ],
)
def test_wrong_parts(change: Callable[[dict[str, Any]], None], message: str) -> None:
    value = several()
    change(value)
    with pytest.raises(NiwakiError) as caught:
        read_manifest(json.dumps(value).encode(), "net")
    assert str(caught.value).startswith("net: manifest.json" + message)


def test_manifests_in_manifests() -> None:
    """As deep as JSON takes them."""
    text = json.dumps({**as_json(), "others": ["inner"]})
    begin, end = text.split('"inner"')
    depth = 300
    data = (begin * depth + json.dumps(as_json()) + end * depth).encode()
    with pytest.raises(NiwakiError, match=r"manifest\.json is nested too deeply"):
        read_manifest(data, "net")


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
        (put("cuda", "driver"), ".driver must be one of local, vulkan, together, got 'cuda'"),
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
