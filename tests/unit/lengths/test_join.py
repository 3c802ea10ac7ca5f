"""Modules of several lengths as one: what their functions are called."""

from __future__ import annotations

from torch_mlir import ir

from niwaki.dialects import context
from niwaki.lengths.join import join_modules

MODULE = """
func.func @main(%x: tensor<{0}xf32>) -> tensor<{0}xf32> {{
  %y = func.call @loop_0(%x) : (tensor<{0}xf32>) -> tensor<{0}xf32>
  return %y : tensor<{0}xf32>
}}
func.func private @loop_0(%x: tensor<{0}xf32>) -> tensor<{0}xf32> {{
  return %x : tensor<{0}xf32>
}}
"""


def test_bodies_of_loops() -> None:
    """Each network calls its own."""
    with context():
        modules = {size: ir.Module.parse(MODULE.format(size)).operation for size in (9, 5)}
        whole = join_modules(modules, 9)
        assert whole.verify()
        names = [op.operation.attributes["sym_name"].value for op in whole.regions[0].blocks[0]]
        assert names == ["main", "loop_0", "main_5", "loop_0_5"]
        assert "@loop_0_5(%" in str(whole).split("@main_5", 1)[1]
