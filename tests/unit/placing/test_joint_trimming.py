"""Channels are trimmed across cuts; stages are otherwise as they were."""

from __future__ import annotations

from typing import Any

import pytest
import torch_mlir.ir as ir

from niwaki.dialects import context
from niwaki.passes import Session
from niwaki.passes.trim_channels import TrimChannelsPass
from niwaki.placing.joint_trimming import STAGE, Wired, can_join, trim_joined
from niwaki.placing.stages import main_function

LINEAR = """
  %{result} = "sparse_pattern.linear"(%{input}, %{weight}) ({{
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }}) {{scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}}
    : (tensor<2x{inputs}xf32>, tensor<{outputs}x{inputs}xf32>) -> tensor<2x{outputs}xf32>
"""
BODY = """
func.func private @loop_0(%h: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %z = math.tanh %h : tensor<2x1xf32>
  return %z : tensor<2x1xf32>
}
"""


def linear(result: str, given: str, weight: str, inputs: int, outputs: int) -> str:
    return LINEAR.format(result=result, input=given, weight=weight, inputs=inputs, outputs=outputs)


def stages() -> list[str]:
    """A layer with a filter of zeros, two that read it, and a loop's body in each of these."""
    first = f"""
func.func @main(%x: tensor<2x2xf32>) -> tensor<2x3xf32> {{
  %w = arith.constant dense<[[1.0, 2.0], [0.0, 0.0], [5.0, 6.0]]> : tensor<3x2xf32>
  {linear("a", "x", "w", 2, 3)}
  return %a : tensor<2x3xf32>
}}"""
    second = f"""
func.func @main(%a: tensor<2x3xf32>) -> tensor<2x1xf32> {{
  %v = arith.constant dense<[[1.0, 2.0, 3.0]]> : tensor<1x3xf32>
  {linear("b", "a", "v", 3, 1)}
  %c = func.call @loop_0(%b) : (tensor<2x1xf32>) -> tensor<2x1xf32>
  return %c : tensor<2x1xf32>
}}"""
    third = f"""
func.func @main(%a: tensor<2x3xf32>, %x: tensor<2x2xf32>) -> tensor<2x1xf32> {{
  %v = arith.constant dense<[[4.0, 5.0, 6.0]]> : tensor<1x3xf32>
  {linear("b", "a", "v", 3, 1)}
  %c = func.call @loop_0(%b) : (tensor<2x1xf32>) -> tensor<2x1xf32>
  return %c : tensor<2x1xf32>
}}"""
    return [first, second + BODY, third + BODY]


@pytest.fixture
def wired() -> Any:
    with context() as ctx, ir.Location.unknown(ctx):
        modules = [ir.Module.parse(text).operation for text in stages()]
        inputs = [[(0, 0)], [(1, 0)], [(1, 0), (0, 0)]]
        yield Wired(modules, inputs, [(3, 0), (2, 0), (3, 0)])


def trimmed(wired: Wired) -> tuple[Wired, Session]:
    session = Session()
    types = [ir.RankedTensorType.get([2, 2], ir.F32Type.get())]
    return trim_joined(wired, types, TrimChannelsPass(), session, None), session


def test_a_channel_goes_on_both_sides(wired: Wired) -> None:
    assert can_join(wired)
    found, session = trimmed(wired)
    kinds = [str(main_function(one).type) for one in found.modules]
    assert kinds == [
        "(tensor<2x2xf32>) -> tensor<2x2xf32>",
        "(tensor<2x2xf32>) -> tensor<2x1xf32>",
        # The network's input, which nothing there read, is no input of the stage any more.
        "(tensor<2x2xf32>) -> tensor<2x1xf32>",
    ]
    assert found.inputs == [[(0, 0)], [(1, 0)], [(1, 0)]]
    assert found.outputs == [(3, 0), (2, 0), (3, 0)]
    assert len(session.remarks) == 3
    assert "trimmed: 3 -> 2 filters" in [remark.reason for _, remark in session.remarks]


def test_each_stage_has_its_own_weights_and_bodies(wired: Wired) -> None:
    found, _ = trimmed(wired)
    texts = [str(one) for one in found.modules]
    for module, text, number in zip(found.modules, texts, (1, 2, 3), strict=True):
        assert module.verify()
        assert STAGE not in text
        assert ("call @loop_0" in text) == (number > 1)
        assert text.count("func.func private") == (number > 1)
    assert "1.000000e+00, 3.000000e+00" in texts[1]
    assert "4.000000e+00, 6.000000e+00" in texts[2]


def test_code_with_jumps_cannot_be_joined(wired: Wired) -> None:
    text = """
func.func @main(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  cf.br ^end
^end:
  return %a : tensor<2x3xf32>
}"""
    modules = [*wired.modules[:1], ir.Module.parse(text).operation]
    assert not can_join(Wired(modules, wired.inputs[:2], [(2, 0)]))
