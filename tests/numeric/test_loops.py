"""Loops whose length is known only at run time: layers have kernels, and numbers are right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import niwaki

from .cases import TOLERANCE

Array = NDArray[Any]
TURNS = (0, 1, 17)

HEAD = """
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %turns = tensor.extract %n[] : tensor<i64>
  %last = arith.index_cast %turns : i64 to index
"""

# The weights are transposed outside of the loop, where a compiler would move that.
LINEAR = """
  %t_empty = tensor.empty() : !w
  %t = linalg.transpose ins(%w : !w) outs(%t_empty : !w)
    permutation = [1, 0]
  %y = scf.for %i = %c0 to %last step %c1 iter_args(%h = %x) -> !x {
    %z = linalg.matmul ins(%h, %t : !x, !w) outs(%x : !x) -> !x
    scf.yield %z : !x
  }
"""

CONVOLUTION = """
  %y, %end = scf.while (%h = %x, %i = %c0) : (!x, index) -> (!x, index) {
    %go = arith.cmpi slt, %i, %last : index
    scf.condition(%go) %h, %i : !x, index
  } do {
  ^bb0(%h: !x, %i: index):
    %p = tensor.pad %h low[0, 0, 1, 1] high[0, 0, 1, 1] {
    ^bb0(%a: index, %b: index, %c: index, %d: index):
      tensor.yield %zero : f32
    } : !x to !p
    %e = tensor.empty() : !x
    %f = linalg.fill ins(%zero : f32) outs(%e : !x) -> !x
    %z = linalg.conv_2d_nchw_fchw ins(%p, %w : !p, !w)
      outs(%f : !x) -> !x
    %j = arith.addi %i, %c1 : index
    scf.yield %z, %j : !x, index
  }
"""

# In every other turn, and in each of them twice.
NESTED = """
  %c2 = arith.constant 2 : index
  %y = scf.for %i = %c0 to %last step %c1 iter_args(%h = %x) -> !x {
    %r = arith.remui %i, %c2 : index
    %odd = arith.cmpi eq, %r, %c1 : index
    %z = scf.if %odd -> !x {
      %s = scf.for %j = %c0 to %c2 step %c1 iter_args(%g = %h) -> !x {
        %e = tensor.empty() : !x
        %f = linalg.fill ins(%zero : f32) outs(%e : !x) -> !x
        %p = linalg.matmul ins(%g, %w : !x, !w) outs(%f : !x) -> !x
        scf.yield %p : !x
      }
      scf.yield %s : !x
    } else {
      scf.yield %h : !x
    }
    scf.yield %z : !x
  }
"""

# Its condition computes what its body gets, and hands that on twice.
COMPUTING = """
  %y, %again, %end = scf.while (%i = %c0, %h = %x) : (index, !x) -> (!x, !x, index) {
    %go = arith.cmpi slt, %i, %last : index
    %e = tensor.empty() : !x
    %f = linalg.fill ins(%zero : f32) outs(%e : !x) -> !x
    %z = linalg.matmul ins(%h, %w : !x, !w) outs(%f : !x) -> !x
    scf.condition(%go) %z, %z, %i : !x, !x, index
  } do {
  ^bb0(%g: !x, %h: !x, %i: index):
    %j = arith.addi %i, %c1 : index
    scf.yield %j, %h : index, !x
  }
"""

SWITCH = """
  %y = scf.for %i = %c0 to %last step %c1 iter_args(%h = %x) -> !x {
    %z = scf.index_switch %i -> !x
    case 0 {
      %p = linalg.matmul ins(%h, %w : !x, !w) outs(%x : !x) -> !x
      scf.yield %p : !x
    } case 3 {
      scf.yield %x : !x
    } default {
      %e = tensor.empty() : !x
      %s = linalg.add ins(%h, %x : !x, !x) outs(%e : !x) -> !x
      scf.yield %s : !x
    }
    scf.yield %z : !x
  }
"""


def convolve(x: Array, w: Array) -> Array:
    tensors = torch.from_numpy(x), torch.from_numpy(w)
    return torch.nn.functional.conv2d(*tensors, padding=1).numpy()


def switched(h: Array, x: Array, w: Array, turn: int) -> Array:
    return {0: h @ w + x, 3: x}.get(turn, h + x)


@pytest.mark.parametrize(
    ("body", "shape", "weights", "step"),
    [
        pytest.param(LINEAR, (3, 37), (37, 37), lambda h, x, w, i: h @ w.T + x, id="for"),
        pytest.param(
            CONVOLUTION, (1, 5, 7, 9), (5, 5, 3, 3), lambda h, x, w, i: convolve(h, w), id="while"
        ),
        pytest.param(
            NESTED, (3, 37), (37, 37), lambda h, x, w, i: h @ w @ w if i % 2 else h, id="if"
        ),
        pytest.param(COMPUTING, (3, 37), (37, 37), lambda h, x, w, i: h @ w, id="computing"),
        pytest.param(SWITCH, (3, 37), (37, 37), switched, id="switch"),
    ],
)
def test_mlir(
    body: str,
    shape: tuple[int, ...],
    weights: tuple[int, ...],
    step: Callable[..., Array],
    tmp_path: Path,
) -> None:
    numbers = np.random.default_rng(0)
    w = numbers.normal(size=weights).astype(np.float32) / np.sqrt(np.prod(weights[1:]))
    w = w.astype(np.float32)
    x = numbers.normal(size=shape).astype(np.float32)
    kind, held = (f"tensor<{'x'.join(map(str, sizes))}xf32>" for sizes in (shape, weights))
    file = tmp_path / "net.mlir"
    file.write_text(
        f"!x = {kind}\n!w = {held}\n!p = tensor<1x5x9x11xf32>\n"
        f"func.func @main(%n: tensor<i64>, %x: !x) -> !x {{{HEAD}"
        f'  %w = arith.constant dense<"0x{w.tobytes().hex()}"> : !w{body}  return %y : !x\n}}\n'
    )
    network = niwaki.compile(file, output=tmp_path / "net.niwaki").load()
    assert [layer.op.split()[0] for layer in network.bundle.manifest.layers] == [
        "conv" if len(weights) == 4 else "linear"
    ]
    for turns in TURNS:
        wanted = x
        for turn in range(turns + (body == COMPUTING)):
            wanted = step(wanted, x, w, turn)
        off = np.abs(network(np.array(turns), x) - wanted).max()
        assert off <= TOLERANCE * np.abs(wanted).max()
