"""Minimum and maximum after the import: which comparisons are changed, and which must not be."""

from __future__ import annotations

import pytest
from torch_mlir import ir
from torch_mlir.dialects import arith

from niwaki.frontend.keep_nan import keep_nan

ELEMENTWISE = """
#map = affine_map<(d0) -> (d0)>
#scalar = affine_map<(d0) -> ()>
func.func @main(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {{
  %c = arith.constant 0.0 : f32
  %t = arith.constant dense<0.0> : tensor<f32>
  %0 = tensor.empty() : tensor<4xf32>
  %1 = linalg.generic {{indexing_maps = [#map, #map, #scalar, #map], iterator_types = ["{kind}"]}}
      ins(%x, %y, %t : tensor<4xf32>, tensor<4xf32>, tensor<f32>) outs(%0 : tensor<4xf32>) {{
  ^bb0(%a: f32, %b: f32, %s: f32, %out: f32):
    %2 = arith.cmpf {compare} : f32
    %3 = arith.select %2, {select} : f32
    linalg.yield %3 : f32
  }} -> tensor<4xf32>
  return %1 : tensor<4xf32>
}}
"""


def rewrite(compare: str, select: str, kind: str = "parallel") -> str:
    """What becomes of the body: the predicate of its comparison, or the op instead of it."""
    with ir.Context():
        module = ir.Module.parse(ELEMENTWISE.format(compare=compare, select=select, kind=kind))
        keep_nan(module)
        assert module.operation.verify()
        if selects := list(ir.get_ops_of_type(module.operation, arith.SelectOp)):
            compare_op = selects[0].condition.owner
            return str(
                arith.CmpFPredicate(ir.IntegerAttr(compare_op.attributes["predicate"]).value)
            )
        for name, kind_of_op in (("maximumf", arith.MaximumFOp), ("minimumf", arith.MinimumFOp)):
            if list(ir.get_ops_of_type(module.operation, kind_of_op)):
                assert not list(ir.get_ops_of_type(module.operation, arith.CmpFOp))
                return name
    raise AssertionError("the body is gone")


@pytest.mark.parametrize(
    ("compare", "select", "expected"),
    [
        ("ult, %a, %c", "%c, %a", "olt"),  # clamp from below
        ("ugt, %a, %c", "%c, %a", "ogt"),  # clamp from above
        ("ugt, %a, %c", "%a, %c", "ugt"),  # relu
        ("ogt, %a, %c", "%a, %c", "ugt"),
        ("oge, %a, %c", "%a, %c", "uge"),
        ("olt, %c, %a", "%a, %c", "ult"),  # the constant on the left
        ("ugt, %c, %a", "%c, %a", "ogt"),
        ("ogt, %a, %s", "%a, %s", "ugt"),  # a constant tensor of one element, as hardtanh has
    ],
)
def test_against_a_constant_nan_picks_the_value(compare: str, select: str, expected: str) -> None:
    assert expected in rewrite(compare, select).lower()


@pytest.mark.parametrize(
    ("compare", "select", "expected"),
    [
        ("ogt, %a, %b", "%a, %b", "maximumf"),
        ("olt, %a, %b", "%a, %b", "minimumf"),
        ("ogt, %a, %b", "%b, %a", "minimumf"),
        ("ule, %a, %b", "%b, %a", "maximumf"),
    ],
)
def test_between_two_values_it_takes_an_op_of_its_own(
    compare: str, select: str, expected: str
) -> None:
    assert rewrite(compare, select) == expected


@pytest.mark.parametrize(
    ("compare", "select"),
    [
        ("ogt, %a, %c", "%b, %c"),  # selects something else: not a maximum
        ("oeq, %a, %c", "%a, %c"),
        ("ord, %a, %c", "%a, %c"),
    ],
)
def test_other_comparisons_stay(compare: str, select: str) -> None:
    assert compare[:3] in rewrite(compare, select).lower()


def test_reductions_stay() -> None:
    text = ELEMENTWISE.format(compare="ogt, %a, %out", select="%a, %out", kind="reduction")
    text = text.replace("#scalar, #map]", "#scalar, #scalar]").replace(
        "outs(%0 : tensor<4xf32>)", "outs(%t : tensor<f32>)"
    )
    text = text.replace(
        "-> tensor<4xf32>\n  return %1 : tensor<4xf32>",
        "-> tensor<f32>\n  return %x : tensor<4xf32>",
    )
    with ir.Context():
        module = ir.Module.parse(text)
        before = str(module)
        keep_nan(module)
        assert str(module) == before
