"""Divisions after the import: none is left that ends the process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from torch_mlir import ir

import niwaki
from niwaki.frontend.bound_divisions import bound_divisions

OPS = ("divsi", "floordivsi", "ceildivsi", "remsi", "divui", "ceildivui", "remui")
KINDS = ("i8", "i32", "i64", "index", "tensor<3xi32>", "vector<4xi64>")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("op", OPS)
def test_no_divisor_is_zero(op: str, kind: str) -> None:
    text = f"""func.func @main(%x: {kind}, %y: {kind}) -> {kind} {{
      %z = arith.{op} %x, %y : {kind}
      return %z : {kind}
    }}"""
    with ir.Context():
        module = ir.Module.parse(text)
        bound_divisions(module)
        assert module.operation.verify()
        *ops, end = module.body.operations[0].regions[0].blocks[0].operations
        (division,) = (each for each in ops if each.operation.name == f"arith.{op}")
        assert division.operation.operands[1].owner.name == "arith.select"
        assert end.operands[0].owner.name == (f"arith.{op}" if "rem" in op else "arith.select")


@pytest.mark.parametrize(("divisor", "count"), [(3, 0), (-2, 0), (0, 1), (-1, 1)])
def test_divisors_that_are_known(divisor: int, count: int) -> None:
    text = f"""func.func @main(%x: i32) -> i32 {{
      %y = arith.constant {divisor} : i32
      %z = arith.divsi %x, %y : i32
      return %z : i32
    }}"""
    with ir.Context():
        module = ir.Module.parse(text)
        bound_divisions(module)
        assert str(module).count("arith.cmpi") == count


def test_scalars(tmp_path: Path) -> None:
    """Which machines divide without vectors, and raise a signal."""
    kinds = ("i8", "i32", "i64")
    names = {"i8": "int8", "i32": "int32", "i64": "int64"}
    steps = "\n".join(
        f"""%{op}{kind} = linalg.generic {{indexing_maps = [#id, #id, #id], iterator_types = []}}
        ins(%x{kind}, %y{kind} : tensor<{kind}>, tensor<{kind}>) outs(%x{kind} : tensor<{kind}>) {{
          ^bb0(%a: {kind}, %b: {kind}, %o: {kind}):
            %c = arith.{op} %a, %b : {kind}
            linalg.yield %c : {kind}
        }} -> tensor<{kind}>"""
        for kind in kinds
        for op in OPS
    )
    results = [(f"%{op}{kind}", f"tensor<{kind}>") for kind in kinds for op in OPS]
    values, types = (", ".join(part) for part in zip(*results, strict=True))
    taken = ", ".join(f"%{side}{kind}: tensor<{kind}>" for kind in kinds for side in "xy")
    path = tmp_path / "net.mlir"
    path.write_text(
        f"""#id = affine_map<() -> ()>
        func.func @main({taken}) -> ({types}) {{
          {steps}
          return {values} : {types}
        }}"""
    )
    network = niwaki.compile(path, output=tmp_path / "net.niwaki").load()
    least = [np.iinfo(names[kind]).min for kind in kinds]
    for divisor, quotient in ((0, [0, 0, 0]), (-1, least)):
        given = [
            np.array(value, names[kind])
            for kind, low in zip(kinds, least, strict=True)
            for value in (low, divisor)
        ]
        found = np.array(network(*given), object).reshape(len(kinds), len(OPS))
        np.testing.assert_array_equal(found[:, :3], np.transpose([quotient] * 3))
        np.testing.assert_array_equal(found[:, 3], [0, 0, 0])
        if divisor == 0:
            np.testing.assert_array_equal(found[:, 4:], 0)
