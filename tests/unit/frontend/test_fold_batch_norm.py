"""Folding batch-norm: what is computed stays the same, and zeros stay zeros."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_networks import Function, randomize_batch_norm
from torch import nn
from torch.export import ExportedProgram

from niwaki.frontend.constants import constant_tensors
from niwaki.frontend.torch_import import prepare_program

ONE_DIMENSION, TWO_DIMENSIONS, THREE_DIMENSIONS = (2, 8, 9), (2, 8, 6, 7), (2, 8, 4, 5, 6)


def program_of(model: nn.Module, *inputs: torch.Tensor) -> ExportedProgram:
    return prepare_program(randomize_batch_norm(model).eval(), inputs)


def names_of(program: ExportedProgram) -> list[str]:
    return [str(node.target) for node in program.graph.nodes if node.op == "call_function"]


def assert_same(
    program: ExportedProgram, model: nn.Module, *inputs: torch.Tensor, **tolerance: float
) -> None:
    with torch.no_grad():
        torch.testing.assert_close(program.module()(*inputs), model(*inputs), **tolerance)


LAYERS: dict[str, tuple[Callable[[], nn.Module], Callable[[], nn.Module], tuple[int, ...]]] = {
    "conv1d": (lambda: nn.Conv1d(8, 6, 3), lambda: nn.BatchNorm1d(6), ONE_DIMENSION),
    "conv2d": (lambda: nn.Conv2d(8, 6, 3), lambda: nn.BatchNorm2d(6), TWO_DIMENSIONS),
    "conv3d": (lambda: nn.Conv3d(8, 6, 3), lambda: nn.BatchNorm3d(6), THREE_DIMENSIONS),
    "no bias": (lambda: nn.Conv2d(8, 6, 3, bias=False), lambda: nn.BatchNorm2d(6), TWO_DIMENSIONS),
    "grouped": (lambda: nn.Conv2d(8, 6, 3, groups=2), lambda: nn.BatchNorm2d(6), TWO_DIMENSIONS),
    "depthwise": (
        lambda: nn.Conv2d(8, 16, 3, groups=8),
        lambda: nn.BatchNorm2d(16),
        TWO_DIMENSIONS,
    ),
    "strided and dilated": (
        lambda: nn.Conv2d(8, 6, 3, stride=2, dilation=2, padding=2),
        lambda: nn.BatchNorm2d(6),
        TWO_DIMENSIONS,
    ),
    "transposed": (
        lambda: nn.ConvTranspose2d(8, 6, 3, stride=2),
        lambda: nn.BatchNorm2d(6),
        TWO_DIMENSIONS,
    ),
    "transposed and grouped": (
        lambda: nn.ConvTranspose1d(8, 6, 3, groups=2),
        lambda: nn.BatchNorm1d(6),
        ONE_DIMENSION,
    ),
    "linear": (lambda: nn.Linear(8, 6), lambda: nn.BatchNorm1d(6), (4, 8)),
    "linear without bias": (
        lambda: nn.Linear(8, 6, bias=False),
        lambda: nn.BatchNorm1d(6),
        (4, 8),
    ),
    "no scale and shift": (
        lambda: nn.Conv2d(8, 6, 3),
        lambda: nn.BatchNorm2d(6, affine=False),
        TWO_DIMENSIONS,
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_folds_into(name: str) -> None:
    layer, norm, shape = LAYERS[name]
    x = torch.randn(shape)
    model = nn.Sequential(layer(), norm())
    program = program_of(model, x)
    assert not any("batch_norm" in op or "mul" in op for op in names_of(program))
    assert_same(program, model, x)


def test_the_model_keeps_its_own_weights() -> None:
    model = randomize_batch_norm(nn.Sequential(nn.Conv2d(8, 6, 3), nn.BatchNorm2d(6))).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    prepare_program(model, torch.randn(TWO_DIMENSIONS))
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def folded_weight(program: ExportedProgram) -> torch.Tensor:
    (node,) = [node for node in program.graph.nodes if "convolution" in str(node.target)]
    return constant_tensors(program)[node.args[1]]


def test_zeros_stay_zeros() -> None:
    conv = nn.Conv2d(8, 6, 3)
    conv.weight.data *= torch.rand_like(conv.weight) < 0.3
    model = nn.Sequential(conv, nn.BatchNorm2d(6))
    program = program_of(model, torch.randn(TWO_DIMENSIONS))
    torch.testing.assert_close(folded_weight(program) == 0, conv.weight == 0)


def test_a_scale_of_zero_empties_its_filter() -> None:
    model = nn.Sequential(nn.Conv2d(8, 6, 3), norm := nn.BatchNorm2d(6))
    randomize_batch_norm(model)
    norm.weight.data[2] = 0
    x = torch.randn(TWO_DIMENSIONS)
    program = prepare_program(model.eval(), x)
    assert not folded_weight(program)[2].any()
    assert_same(program, model, x)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("member", ["weight", "bias", "running_mean", "running_var"])
def test_what_is_not_finite_is_not_folded(member: str, value: float) -> None:
    """An infinite scale makes NaN of a zero weight, which the network itself does not."""
    conv = nn.Conv2d(8, 6, 3)
    conv.weight.data[:, ::2] = 0
    model = randomize_batch_norm(nn.Sequential(conv, norm := nn.BatchNorm2d(6))).eval()
    getattr(norm, member).data[1] = value
    x = torch.randn(TWO_DIMENSIONS)
    program = prepare_program(model, x)
    with torch.no_grad():
        torch.testing.assert_close(program.module()(x), model(x), equal_nan=True)


def test_a_weight_beyond_float16_is_folded() -> None:
    model = nn.Sequential(nn.Conv2d(8, 6, 1), norm := nn.BatchNorm2d(6)).half().eval()
    norm.weight.data[0] = 60000
    norm.running_var[0] = 1e-3
    x = torch.randn(2, 8, 4, 4).half() * 1e-3
    program = prepare_program(model, x)
    assert folded_weight(program).abs().max() > 65504
    assert_same(program, model, x, rtol=1e-2, atol=1e-2)


def test_nan_in_a_weight_stays_in_its_filter() -> None:
    conv = nn.Conv2d(8, 6, 3)
    conv.weight.data[3, 0, 0, 0] = math.nan
    model = nn.Sequential(conv, nn.BatchNorm2d(6))
    x = torch.randn(TWO_DIMENSIONS)
    program = program_of(model, x)
    with torch.no_grad():
        torch.testing.assert_close(program.module()(x), model(x), equal_nan=True)
        assert model(x)[:, 3].isnan().all()


def test_float16_is_folded_in_float32() -> None:
    x = torch.randn(TWO_DIMENSIONS).half()
    model = randomize_batch_norm(nn.Sequential(nn.Conv2d(8, 6, 3), nn.BatchNorm2d(6))).half().eval()
    program = prepare_program(model, x)
    assert folded_weight(program).dtype == torch.float32
    assert not any("mul" in op for op in names_of(program))
    assert_same(program, model, x, rtol=2e-3, atol=2e-3)


def test_layers_that_share_weights_are_folded_apart() -> None:
    first, second = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
    second.weight = first.weight
    model = nn.Sequential(first, nn.BatchNorm2d(8), second, nn.BatchNorm2d(8))
    x = torch.randn(TWO_DIMENSIONS)
    program = program_of(model, x)
    assert not any("mul" in op for op in names_of(program))
    assert_same(program, model, x)


def test_a_layer_called_twice_is_folded_into_once() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.conv(self.norm(self.conv(x))))

    model = Function(forward, conv=nn.Conv2d(8, 8, 3, padding=1), norm=nn.BatchNorm2d(8))
    x = torch.randn(TWO_DIMENSIONS)
    program = program_of(model, x)
    assert not any("mul" in op for op in names_of(program))
    assert_same(program, model, x)


def test_a_result_that_others_need_is_left_alone() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        return self.norm(y) + y

    model = Function(forward, conv=nn.Conv2d(8, 6, 3), norm=nn.BatchNorm2d(6))
    x = torch.randn(TWO_DIMENSIONS)
    program = program_of(model, x)
    assert any("mul" in op for op in names_of(program))
    assert_same(program, model, x)


@pytest.mark.parametrize(
    ("norm", "shape"),
    [
        (nn.BatchNorm1d(8), (4, 8)),
        (nn.BatchNorm1d(8), ONE_DIMENSION),
        (nn.BatchNorm2d(8), TWO_DIMENSIONS),
        (nn.BatchNorm3d(8), THREE_DIMENSIONS),
    ],
)
def test_alone_it_is_one_multiplication_and_one_addition(
    norm: nn.Module, shape: tuple[int, ...]
) -> None:
    model, x = nn.Sequential(norm), torch.randn(shape)
    program = program_of(model, x)
    assert names_of(program) == ["aten.mul.Tensor", "aten.add.Tensor"]
    assert_same(program, model, x)


def test_alone_in_float16_it_is_computed_in_float32() -> None:
    model = randomize_batch_norm(nn.Sequential(nn.BatchNorm2d(8))).half().eval()
    x = torch.randn(TWO_DIMENSIONS).half()
    program = prepare_program(model, x)
    assert_same(program, model, x, rtol=1e-3, atol=1e-3)


def test_after_an_activation_it_stays_there() -> None:
    model = nn.Sequential(nn.Conv2d(8, 6, 3), nn.ReLU(), nn.BatchNorm2d(6))
    x = torch.randn(TWO_DIMENSIONS)
    program = program_of(model, x)
    assert names_of(program)[-2:] == ["aten.mul.Tensor", "aten.add.Tensor"]
    assert_same(program, model, x)


def test_weights_that_are_inputs_are_not_folded() -> None:
    def forward(self: Any, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return self.norm(torch.conv2d(x, weight))

    model = Function(forward, norm=nn.BatchNorm2d(6))
    inputs = torch.randn(TWO_DIMENSIONS), torch.randn(6, 8, 3, 3)
    program = program_of(model, *inputs)
    assert_same(program, model, *inputs)


def test_a_linear_layer_on_sequences_is_left_alone() -> None:
    """Batch-norm's channels are the positions there, not the layer's outputs."""
    model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
    x = torch.randn(2, 8, 8)
    assert_same(program_of(model, x), model, x)


def test_statistics_of_the_batch_itself() -> None:
    """Without running statistics the batch's own are used, which no constant can stand for."""
    model = nn.Sequential(nn.Conv2d(8, 6, 3), nn.BatchNorm2d(6, track_running_stats=False))
    x = torch.randn(TWO_DIMENSIONS)
    assert_same(program_of(model, x), model, x, rtol=1e-4, atol=1e-4)
