"""Bundles of several lengths: which network a call runs, and what is said of wrong ones."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_bundle

import niwaki
from niwaki.errors import NiwakiError
from niwaki.records import DispatchRecord, LengthRecord, Lengths, StateRecord
from niwaki.runtime.bundle import open_bundle, write_bundle
from niwaki.runtime.manifest import Manifest, read_manifest

SHORT, LONG = 4, 8
# Each place of x + 1, and the sum of those that count.
FUNCTION = """
  func.func @{name}(%x: tensor<1x{n}xf32>, %counts: tensor<1x{n}xi8>)
      -> (tensor<1x{n}xf32>, tensor<1xf32>) {{
    %w = util.global.load @w : tensor<1xf32>
    %e = tensor.empty() : tensor<1x{n}xf32>
    %ws = linalg.broadcast ins(%w : tensor<1xf32>) outs(%e : tensor<1x{n}xf32>) dimensions = [1]
    %wide = arith.addf %x, %ws : tensor<1x{n}xf32>
    %c = arith.sitofp %counts : tensor<1x{n}xi8> to tensor<1x{n}xf32>
    %p = arith.mulf %c, %x : tensor<1x{n}xf32>
    %z = arith.constant dense<0.0> : tensor<1xf32>
    %sum = linalg.reduce ins(%p : tensor<1x{n}xf32>) outs(%z : tensor<1xf32>) dimensions = [1]
      (%a: f32, %b: f32) {{ %s = arith.addf %a, %b : f32
      linalg.yield %s : f32 }}
    return %wide, %sum : tensor<1x{n}xf32>, tensor<1xf32>
  }}
"""
MODULE = (
    "module {\n"
    '  util.global private @w = #flow.parameter.named<"model"::"w"> : tensor<1xf32>\n'
    + FUNCTION.format(name="main", n=LONG)
    + FUNCTION.format(name="main_4", n=SHORT)
    + "}\n"
)


def manifest() -> Manifest:
    plain = tiny_bundle.manifest(
        {"x": ((1, LONG), "float32"), "counts": ((1, LONG), "int8")},
        {"y": ((1, LONG), "float32"), "sum": ((1,), "float32")},
    )
    shorter = [LengthRecord(SHORT, "main_4", [], [DispatchRecord("", "k", "")], [])]
    return replace(plain, lengths=Lengths([[1], [1]], [[1], []], ["lowest", "zero"], shorter))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lengths") / "net.niwaki"
    weights = {"w": np.ones(1, np.float32)}
    write_bundle(path, manifest(), tiny_bundle.compiled(MODULE), weights)
    return path


def inputs(length: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.arange(2, 2 + length, dtype=np.float32)[None]
    return x, (x > 2).astype(np.int8)


@pytest.mark.parametrize("length", range(1, LONG + 1))
def test_any_length(path: Path, length: int) -> None:
    x, counts = inputs(length)
    y, total = niwaki.load(path)(x, counts)
    np.testing.assert_array_equal(y, x + 1)
    np.testing.assert_array_equal(total, (x * counts).sum(axis=1))
    y[...] = 0  # the caller's own


@pytest.mark.parametrize("length", [0, LONG + 1])
def test_a_length_that_there_is_not(path: Path, length: int) -> None:
    with pytest.raises(NiwakiError) as raised:
        niwaki.load(path)(*inputs(length))
    remedy = f"compile the network with --lengths up to {length}" if length else "give some"
    assert str(raised.value) == (
        f"input 'x' has length {length}, and {path} takes lengths from 1 to {LONG}: {remedy}"
    )


class Ragged:
    """No array."""

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise ValueError("it is none")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((inputs(3)[0], inputs(4)[1]), "input 'counts' must be int8 of shape 1x3, got int8 of"),
        ((inputs(3)[0], inputs(3)[1] > 0), "input 'counts' must be int8 of shape 1x3, got bool"),
        ((inputs(3)[0][0], inputs(3)[1]), "input 'x' must be float32 of shape 1x8, got float32 of"),
        ((inputs(3)[0],), "expected 2 positional arguments"),
        ((Ragged(), inputs(3)[1]), "input 'x' cannot be read as a numpy array: it is none"),
    ],
)  # fmt: skip
def test_inputs_that_do_not_fit(path: Path, arguments: Any, told: str) -> None:
    with pytest.raises(NiwakiError) as raised:
        niwaki.load(path)(*arguments)
    assert str(raised.value).startswith(told)


def test_one_network_alone(path: Path) -> None:
    bundle = open_bundle(path)
    assert bundle.lengths == (SHORT, LONG)
    alone = pickle.loads(pickle.dumps(bundle.at(SHORT)))
    assert alone.lengths == ()
    x, counts = inputs(SHORT)
    np.testing.assert_array_equal(alone.load()(x, counts)[0], x + 1)
    with pytest.raises(NiwakiError, match="must be float32 of shape 1x4"):
        alone.load()(*inputs(3))
    with pytest.raises(NiwakiError, match=r"net.niwaki has no network of length 5: it has 4, 8$"):
        bundle.at(5)


def test_a_bundle_without_lengths(tmp_path: Path) -> None:
    bundle = open_bundle(tiny_bundle.affine_bundle(tmp_path / "net.niwaki"))
    assert bundle.lengths == ()
    with pytest.raises(
        NiwakiError, match=r"has no network of length 5: it has one network, without lengths$"
    ):
        bundle.at(5)


WRONG: dict[str, dict[str, Any]] = {
    "one length": {"inputs": [[1]]},
    "no such dimension": {"outputs": [[2], []]},
    "equally large": {"outputs": [[1], [0]]},
    "some input": {"inputs": [[], []], "outputs": [[], []]},
    "must have padding": {"padding": ["zero"]},
    "cannot be filled with 'lowest'": {"padding": ["zero", "lowest"]},
    "cannot be filled with 'seven'": {"padding": ["seven", "zero"]},
    "must ascend": {"shorter": [LengthRecord(LONG, "main_8", [], [], [])]},
}


@pytest.mark.parametrize("told", WRONG)
def test_contradictory_manifests(told: str) -> None:
    good = manifest()
    assert read_manifest(good.to_bytes(), "net") == good
    bad = replace(good, lengths=replace(good.lengths, **WRONG[told]))
    expected = "must say of each input" if told == "one length" else told
    with pytest.raises(NiwakiError, match=f"^net: manifest.json.lengths: .*{expected}"):
        read_manifest(bad.to_bytes(), "net")


def test_states_have_one_length() -> None:
    bad = replace(manifest(), states=[StateRecord(0, 0)])
    with pytest.raises(NiwakiError, match="a bundle with states has one length"):
        read_manifest(bad.to_bytes(), "net")


def test_a_function_that_is_not_there(tmp_path: Path) -> None:
    other = replace(manifest().lengths, shorter=[LengthRecord(3, "main_3", [], [], [])])
    path = tmp_path / "net.niwaki"
    weights = {"w": np.ones(1, np.float32)}
    write_bundle(path, replace(manifest(), lengths=other), tiny_bundle.compiled(MODULE), weights)
    with pytest.raises(NiwakiError, match="it has no function 'main_3'"):
        niwaki.load(path)
