"""Loops that stay loops on a Vulkan device, in several calls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import niwaki
from niwaki.runtime.network import Network

KIND, JOINED = "tensor<2x24xf32>", "tensor<4x24xf32>"
PARALLEL = 'iterator_types = ["parallel", "parallel"]'
GENERIC = f"linalg.generic {{indexing_maps = [#map, #map, #map], {PARALLEL}}}"


def combined(first: str, second: str, op: str) -> str:
    """Elementwise code of two tensors."""
    return f"""{GENERIC} ins({first}, {second} : {KIND}, {KIND}) outs(%empty : {KIND}) {{
      ^bb0(%p: f32, %q: f32, %o: f32):
        %made = arith.{op} %p, %q : f32
        linalg.yield %made : f32
    }} -> {KIND}"""


def loop(turns: int, start: str, folder: Path) -> Network:
    """A network that adds to `start` in each turn, and gives it, too."""
    path = folder / f"{turns}{start[1:]}.mlir"
    path.write_text(f"""#map = affine_map<(i, j) -> (i, j)>
func.func @main(%x: {KIND}, %h: {KIND}) -> {JOINED} {{
  %first = arith.constant 0 : index
  %step = arith.constant 1 : index
  %turns = arith.constant {turns} : index
  %empty = tensor.empty() : {KIND}
  %product = {combined("%x", "%h", "mulf")}
  %end = scf.for %i = %first to %turns step %step iter_args(%a = {start}) -> ({KIND}) {{
    %next = {combined("%a", "%x", "addf")}
    scf.yield %next : {KIND}
  }}
  %joined = tensor.concat dim(0) %end, {start} : ({KIND}, {KIND}) -> {JOINED}
  return %joined : {JOINED}
}}
""")
    return niwaki.compile(path, target="vulkan", output=path.with_suffix(".niwaki")).load()


@pytest.mark.requires_vulkan
@pytest.mark.parametrize("turns", [1, 3, 20])
@pytest.mark.parametrize("start", ["%h", "%product"])
def test_what_is_read_behind_a_loop_stays(start: str, turns: int, tmp_path: Path) -> None:
    """In each call; an input, or what is computed before. It is copied: no shader follows."""
    network, rng = loop(turns, start, tmp_path), np.random.default_rng(0)
    for _ in range(4):
        x, h = rng.standard_normal((2, 2, 24)).astype(np.float32)
        begin = h if start == "%h" else x * h
        end = begin + turns * x
        expected = np.concatenate([end, begin])
        np.testing.assert_allclose(network(x, h), expected, rtol=1e-4, atol=1e-4)
