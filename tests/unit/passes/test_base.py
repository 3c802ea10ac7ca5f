"""What passes share: constants in and out of the IR, erasing what nobody uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch_mlir.ir as ir

from niwaki.dialects import context
from niwaki.passes.base import constant, dense_value, erase_unused, function_ops
from niwaki.passes.raising.operands import scalar_constant


@pytest.fixture(autouse=True)
def current_context() -> Iterator[None]:
    with context(), ir.Location.unknown():
        yield


def parse(body: str, arguments: str = "") -> Any:
    return ir.Module.parse(f"func.func @f({arguments}) {{\n{body}\nreturn\n}}").operation


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.arange(6, dtype=np.float32).reshape(2, 3).T,  # not contiguous
        np.array([np.nan, np.inf, -0.0], np.float32),
        np.zeros((0, 4), np.float32),
        np.arange(3, dtype=np.int8),
        np.arange(3, dtype=np.int32),
        np.array([2.0], np.float32),
    ],
    ids=["f32", "transposed", "special", "empty", "i8", "i32", "one"],
)
def test_constants_come_back(array: Any) -> None:
    module = ir.Module.create()
    with ir.InsertionPoint(module.body):
        found = dense_value(constant(array))
    assert found is not None
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    "constant",
    [
        "arith.constant dense<1.0> : tensor<4xbf16>",
        "arith.constant dense<1> : tensor<4xi4>",
        "arith.constant dense<(1.0, 2.0)> : tensor<4xcomplex<f32>>",
        "arith.constant 1.0 : f32",
        "tensor.empty() : tensor<4xf32>",
    ],
)
def test_what_numpy_cannot_hold_is_no_readable_constant(constant: str) -> None:
    module = parse(f"%0 = {constant}")
    assert dense_value(function_ops(module)[0].result) is None


@pytest.mark.parametrize(
    ("constant", "value"),
    [
        ("arith.constant 2.5 : f32", 2.5),
        ("arith.constant 3 : i64", 3.0),
        ("arith.constant dense<2.5> : tensor<2x3xf32>", 2.5),
        ("arith.constant dense<[2.5, 2.5]> : tensor<2xf32>", 2.5),
        ("arith.constant dense<0xFF800000> : tensor<4xf32>", float("-inf")),
        ("arith.constant dense<[2.5, 3.5]> : tensor<2xf32>", None),
        ("arith.constant dense<0x7FC00000> : tensor<4xf32>", None),  # NaN equals nothing
        ("arith.constant dense<> : tensor<0xf32>", None),
        ("arith.constant dense<(1.0, 2.0)> : tensor<4xcomplex<f32>>", None),
        ("tensor.empty() : tensor<4xf32>", None),
    ],
)
def test_scalar_constants(constant: str, value: float | None) -> None:
    module = parse(f"%0 = {constant}")
    assert scalar_constant(function_ops(module)[0].result) == value


def test_erasing_what_nobody_uses() -> None:
    """A chain goes from its end; what is used, has effects or works on buffers stays."""
    module = ir.Module.parse(
        """
        func.func private @g(tensor<4xf32>) -> tensor<4xf32>
        func.func @f(%x: tensor<4xf32>, %m: memref<4xf32>) {
          %0 = tensor.empty() : tensor<4xf32>
          %1 = linalg.square ins(%x : tensor<4xf32>) outs(%0 : tensor<4xf32>) -> tensor<4xf32>
          %2 = math.absf %x : tensor<4xf32>
          "other.use"(%2) : (tensor<4xf32>) -> ()
          %3 = func.call @g(%x) : (tensor<4xf32>) -> tensor<4xf32>
          linalg.square ins(%m : memref<4xf32>) outs(%m : memref<4xf32>)
          return
        }
        """
    ).operation
    erase_unused(module)
    left = [op.operation.name for op in function_ops(module)]
    assert left == ["math.absf", "other.use", "func.call", "linalg.square", "func.return"]
