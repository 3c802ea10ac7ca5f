"""Positions that a list of all positions tells are those of the loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch_mlir.ir as ir
from torch.nn import functional

import niwaki
from niwaki.dialects import context
from niwaki.frontend.loop_positions import use_loop_positions

GATHER = """
#list = affine_map<(c, i) -> (c, 0)>
#all = affine_map<(c, i) -> (c, i)>
func.func @f(%x: tensor<3x5xf32>, %rows: tensor<3x1xi64>) -> tensor<3x5xf32> {{
  %zero = arith.constant 0 : i64
  %three = arith.constant 3 : i64
  %list = {list}
  %empty = tensor.empty() : tensor<3x5xf32>
  %y = linalg.generic {{indexing_maps = [#list, #all], iterator_types = ["parallel", "parallel"]}}
    ins(%list : tensor<3x1xi64>) outs(%empty : tensor<3x5xf32>) {{
  ^bb0(%row: i64, %out: f32):
    %below = arith.cmpi {predicate}, %row, %zero : i64
    %more = arith.addi %row, %three : i64
    %wrapped = arith.select %below, %more, %row : i64
    %i = arith.index_cast %wrapped : i64 to index
    %j = linalg.index 1 : index
    %value = tensor.extract %x[%i, %j] : tensor<3x5xf32>
    linalg.yield %value : f32
  }} -> tensor<3x5xf32>
  return %y : tensor<3x5xf32>
}}
"""
ALL = "arith.constant dense<[[0], [1], [2]]> : tensor<3x1xi64>"
OTHERS = "arith.constant dense<[[0], [2], [1]]> : tensor<3x1xi64>"
GIVEN = "tensor.cast %rows : tensor<3x1xi64> to tensor<3x1xi64>"


@pytest.mark.parametrize(
    ("listed", "predicate", "is_loop"),
    [(ALL, "slt", True), (OTHERS, "slt", False), (GIVEN, "slt", False), (ALL, "sgt", False)],
)
def test_lists(listed: str, predicate: str, is_loop: bool) -> None:
    with context():
        module = ir.Module.parse(GATHER.format(list=listed, predicate=predicate))
        use_loop_positions(module)
        module.operation.verify()
    assert ("linalg.index 0" in str(module)) == is_loop
    assert ("ins(" in str(module)) != is_loop  # the list is not read any more


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_resizing(mode: str, tmp_path: Path) -> None:
    """Filters that are zero are trimmed through it."""

    class Resized(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.first = torch.nn.Conv2d(3, 8, 3, padding=1, bias=False)
            self.first.weight.data[2:7] = 0
            self.second = torch.nn.Conv2d(8, 2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.second(functional.interpolate(self.first(x), (7, 11), mode=mode))

    model, x = Resized().eval(), torch.randn(1, 3, 5, 6)
    bundle = niwaki.compile(model, x, output=tmp_path / "net.niwaki")
    assert "trimmed: 8 -> 3 filters" in [remark.reason for remark in bundle.manifest.remarks]
    expected = model(x).detach().numpy()
    np.testing.assert_allclose(bundle.load()(x.numpy()), expected, rtol=1e-5, atol=1e-5)
