"""The pass trim-channels: its threshold, and the maths of constant channels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch_mlir.ir as ir
from hypothesis import given
from hypothesis import strategies as st

from niwaki.dialects import context
from niwaki.errors import NiwakiError
from niwaki.passes import Session, parse_pipeline, pipeline_text, run_pipeline
from niwaki.passes.channels.evaluate import Known, evaluate
from niwaki.passes.channels.facts import Weights
from niwaki.passes.channels.layers import every_window_meets_input, fold_constants
from niwaki.passes.trim_channels import TrimChannelsPass

NETWORK = """
func.func @f(%x: tensor<2x2xf32>) -> tensor<2x1xf32> {
  %w = arith.constant dense<[[1.0e-3, -1.0e-3], [1.0, 2.0]]> : tensor<2x2xf32>
  %v = arith.constant dense<[[3.0, 4.0]]> : tensor<1x2xf32>
  %a = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %y = "sparse_pattern.linear"(%a, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}
"""


@pytest.mark.parametrize(
    ("option", "filters"),
    [("", 2), ("{threshold=0.0009}", 2), ("{threshold=0.00101}", 1), ("{threshold=1e-2}", 1)],
)
def test_weights_up_to_the_threshold_are_zero(option: str, filters: int) -> None:
    with context():
        module = ir.Module.parse(NETWORK).operation
        pipeline = f"builtin.module(sparse-pattern-trim-channels{option})"
        run_pipeline(module, parse_pipeline(pipeline), Session())
        assert f"(tensor<2x{filters}xf32>, tensor<1x{filters}xf32>)" in str(module)


@pytest.mark.parametrize("threshold", [-1.0, math.inf, math.nan])
def test_threshold_must_make_sense(threshold: float) -> None:
    with pytest.raises(NiwakiError, match=f"needs a threshold >= 0, got {threshold}"):
        TrimChannelsPass(threshold)


def test_threshold_is_a_number() -> None:
    with pytest.raises(NiwakiError, match="needs float for option 'threshold', got 'small'"):
        parse_pipeline("builtin.module(sparse-pattern-trim-channels{threshold=small})")


@pytest.mark.parametrize("threshold", [0.0, 0.25, 1e-30])
def test_threshold_round_trips(threshold: float) -> None:
    text = pipeline_text([TrimChannelsPass(threshold)])
    assert parse_pipeline(text) == [TrimChannelsPass(threshold)]


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3),
    st.booleans(),
)  # fmt: skip
def test_folding_constants_changes_no_sum(
    seed: int, groups: int, channels: int, filters: int, to_bias: bool
) -> None:
    """Whichever channels are constant, and, without a bias, whichever taps lie in padding."""
    rng = np.random.default_rng(seed)
    shape = (groups * filters, channels, 3)
    array = (rng.standard_normal(shape) * (rng.random(shape) < 0.8)).astype(np.float32)
    values = rng.choice([0.0, 0.5, -2.0, 3.0], groups * channels).astype(np.float32)
    known = rng.random(values.size) < 0.6
    weights = Weights(array, np.asarray(array.any(axis=2)), groups, np.zeros(len(array)), False)
    fold_constants(weights, Known(np.where(known, values, 0).astype(np.float32), known), to_bias)
    inputs = rng.standard_normal((groups, channels, 3))
    inputs[known.reshape(groups, channels)] = values[known][:, None]
    if not to_bias:
        inputs[:, :, 0] = 0  # the first tap lies in padding
    each = np.repeat(inputs, filters, axis=0)
    before = (array * each).sum((1, 2))
    after = (weights.array * each).sum((1, 2)) + weights.shift
    np.testing.assert_allclose(after, before, atol=1e-5)
    read = weights.array.any(axis=2).reshape(groups, filters, channels).any(axis=1)
    constant = known.reshape(groups, channels) & read
    assert constant.sum(axis=1).max() <= (0 if to_bias else 1)
    assert weights.changed == (not np.array_equal(weights.array, array))


def body(code: str) -> Any:
    """The block of an op with scalar code on %acc and %b."""
    text = f"""
    func.func @f(%x: tensor<2x2xf32>, %b: tensor<2xf32>) -> tensor<2x2xf32> {{
      %y = "sparse_pattern.linear"(%x, %x, %b) ({{
      ^bb0(%acc: f32, %b0: f32):
        {code}
        "sparse_pattern.yield"(%r) : (f32) -> ()
      }}) {{scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0>}}
        : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
      return %y : tensor<2x2xf32>
    }}"""
    return ir.Module.parse(text)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("%r = arith.addf %acc, %b0 : f32", [3.0, None, None]),
        ("%r = arith.mulf %acc, %b0 : f32", [2.0, None, 0.0]),  # 0 times anything
        ("%r = arith.divf %b0, %b0 : f32", [1.0, 1.0, None]),  # 0 / 0
        ("%r = math.erf %b0 : f32", [math.erf(2), math.erf(2), 0.0]),
        ("%r = math.ceil %b0 : f32", [None, None, None]),  # not in the table
        (
            "%p = arith.cmpf ugt, %acc, %b0 : f32 %r = arith.select %p, %acc, %b0 : f32",
            [2.0, None, None],
        ),
        (
            "%p = arith.cmpf ole, %acc, %b0 : f32 %r = arith.select %p, %acc, %b0 : f32",
            [1.0, None, None],
        ),
        ("%c = arith.constant 4.0 : f32 %r = arith.subf %c, %b0 : f32", [2.0, 2.0, 4.0]),
        ("%r = arith.constant 4.0 : f32", [4.0, 4.0, 4.0]),
        ("%h = arith.truncf %b0 : f32 to f16 %r = arith.extf %h : f16 to f32", [None] * 3),
    ],
)
def test_scalar_code_on_constants(code: str, expected: list[float | None]) -> None:
    """Three channels: both values are known, the bias alone, the bias alone and it is zero."""
    with context(), ir.Location.unknown():
        module = body(code)
        block = module.body.operations[0].regions[0].blocks[0].operations[0].epilogue.blocks[0]
        sums = Known(np.array([1, 0, 0], np.float32), np.array([True, False, False]))
        given_values = {
            block.arguments[0]: sums,
            block.arguments[1]: Known.all(np.array([2, 2, 0], np.float32)),
        }
        (found,) = evaluate(block, given_values, 3)
    values = zip(found.values.tolist(), found.known.tolist(), strict=True)
    assert [value if known else None for value, known in values] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("size", "kernel", "dilation", "padding", "meets"),
    [(4, 2, 1, 0, True), (4, 3, 1, 1, True), (4, 2, 1, 2, False), (1, 2, 2, 1, False)],
)
def test_windows_in_padding_alone(
    size: int, kernel: int, dilation: int, padding: int, meets: bool
) -> None:
    """A maximum over nothing is minus infinity, not the channel's constant."""
    out = size + 2 * padding - dilation * (kernel - 1)
    text = f"""
    func.func @f(%x: tensor<1x2x{size}xf32>) -> tensor<1x2x{out}xf32> {{
      %y = "sparse_pattern.pool"(%x) ({{
      ^bb0(%acc: f32):
        "sparse_pattern.yield"(%acc) : (f32) -> ()
      }}) {{kind = "max", kernel = array<i64: {kernel}>, strides = array<i64: 1>,
          dilations = array<i64: {dilation}>, padding = array<i64: {padding}, {padding}>,
          operandSegmentSizes = array<i32: 1, 0, 0>}}
        : (tensor<1x2x{size}xf32>) -> tensor<1x2x{out}xf32>
      return %y : tensor<1x2x{out}xf32>
    }}"""
    with context():
        module = ir.Module.parse(text)
        pool = module.body.operations[0].regions[0].blocks[0].operations[0]
        assert every_window_meets_input(pool) == meets
