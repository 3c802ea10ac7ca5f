"""Distances of shifts after the import: none is left that a machine leaves undefined."""

from __future__ import annotations

from torch_mlir import ir

from niwaki.frontend.bound_shifts import bound_shifts

SHIFTS = """
func.func @main(%x: i32, %n: i32) -> (i32, i32) {
  %left = arith.shli %x, %n : i32
  %right = arith.shrsi %x, %n : i32
  return %left, %right : i32, i32
}
"""


def test_shifts_are_bounded() -> None:
    with ir.Context():
        module = ir.Module.parse(SHIFTS)
        bound_shifts(module)
        assert module.operation.verify()
        *ops, end = module.body.operations[0].regions[0].blocks[0].operations
        left, right = (value.owner for value in end.operands)
        assert [op.operation.name for op in ops].count("arith.constant") == 3
        assert left.operation.name == "arith.select"
        assert [value.owner.operation.name for value in left.operation.operands] == [
            "arith.cmpi", "arith.shli", "arith.constant",
        ]  # fmt: skip
        assert right.operation.name == "arith.shrsi"
        assert right.operation.operands[1].owner.operation.name == "arith.minui"
