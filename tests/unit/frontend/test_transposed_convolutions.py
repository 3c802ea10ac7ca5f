"""Transposed convolutions become ordinary ones with the same results and no more weights."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from small_networks import Function, randomize_batch_norm
from torch import nn
from torch.export import ExportedProgram

from niwaki.frontend.constants import constant_tensors
from niwaki.frontend.torch_import import prepare_program


def program_of(model: nn.Module, *inputs: torch.Tensor) -> ExportedProgram:
    """The program, whose results are compared with the model's."""
    program = prepare_program(model.eval(), inputs)
    with torch.no_grad():
        torch.testing.assert_close(program.module()(*inputs), model(*inputs))
    return program


def convolutions(program: ExportedProgram) -> list[Any]:
    target = torch.ops.aten.convolution.default
    return program.graph.find_nodes(op="call_function", target=target)


def is_transposed(node: Any) -> bool:
    return bool(node.args[6])


def test_every_setting_of_one_dimension() -> None:
    """All layers in one program: a program takes longer than what it computes."""
    settings = [
        (kernel, stride, padding, more, dilation)
        for kernel, stride, padding, dilation in product((1, 4), (1, 2, 3), (0, 1, 3), (1, 2))
        for more in range(max(stride, dilation))
        if stride * 4 + dilation * (kernel - 1) + 1 + more > 2 * padding
    ]
    layers = [nn.ConvTranspose1d(2, 3, k, s, p, m, dilation=d) for k, s, p, m, d in settings]
    model = Function(
        lambda self, x: [layer(x) for layer in self.layers], layers=nn.ModuleList(layers)
    )
    program = program_of(model, torch.randn(2, 2, 5))
    assert len(convolutions(program)) == len(settings) > 40
    assert not any(map(is_transposed, convolutions(program)))


@pytest.mark.parametrize(
    "layer",
    [
        nn.ConvTranspose2d(4, 6, 4, 2, 1),
        nn.ConvTranspose2d(4, 6, (3, 2), (1, 3), (1, 0), (0, 2), dilation=(2, 1)),
        nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2),
        nn.ConvTranspose2d(4, 4, 3, 2, groups=4, bias=False),
        nn.ConvTranspose3d(4, 6, 3, (1, 2, 3), 1, (0, 1, 2), groups=2),
    ],
    ids=["plain", "uneven", "grouped", "depthwise", "3-D"],
)
def test_more_dimensions(layer: Any) -> None:
    rank = len(layer.kernel_size)
    program = program_of(layer, torch.randn(2, 4, *(5, 3, 4)[:rank]))
    (node,) = convolutions(program)
    assert not is_transposed(node)
    kept = torch.count_nonzero(constant_tensors(program)[node.args[1]])
    assert kept == torch.count_nonzero(layer.weight)


def test_filters_of_a_phase_keep_the_same_taps() -> None:
    """So that a layer without zeros becomes one of whole blocks."""
    layer = nn.ConvTranspose2d(4, 8, 4, 2, 1)
    program = program_of(layer, torch.randn(1, 4, 5, 5))
    (node,) = convolutions(program)
    kept = constant_tensors(program)[node.args[1]] != 0
    assert kept.shape == (32, 4, 3, 3)
    for phase in kept.split(8):
        assert (phase == phase[0, 0]).all()
        assert phase[0, 0].sum() == 4


def test_stride_1_keeps_its_dilation() -> None:
    program = program_of(
        nn.ConvTranspose2d(4, 6, 3, padding=1, dilation=2), torch.randn(1, 4, 7, 7)
    )
    (node,) = convolutions(program)
    _, weight, _, _, _, dilations, *_ = node.args
    assert constant_tensors(program)[weight].shape == (6, 4, 3, 3)
    assert dilations == [2, 2]


def test_batch_norm_is_folded_first() -> None:
    model = nn.Sequential(nn.ConvTranspose2d(4, 6, 4, 2, 1, bias=False), nn.BatchNorm2d(6))
    program = program_of(randomize_batch_norm(model), torch.randn(1, 4, 5, 5))
    names = [str(node.target) for node in program.graph.nodes if node.op == "call_function"]
    assert not any("norm" in name or "mul" in name for name in names)


def test_the_layer_keeps_its_name() -> None:
    program = program_of(nn.Sequential(nn.ConvTranspose1d(4, 6, 4, 2)), torch.randn(1, 4, 5))
    (node,) = convolutions(program)
    assert [path for path, _ in node.meta["nn_module_stack"].values()][-1] == "0"


def test_computed_weights_stay() -> None:
    model = Function(lambda self, x, w: nn.functional.conv_transpose1d(x, w, stride=2))
    program = program_of(model, torch.randn(1, 4, 5), torch.randn(4, 6, 3))
    assert all(map(is_transposed, convolutions(program)))


def test_float16_is_computed_in_float32() -> None:
    half = prepare_program(nn.ConvTranspose1d(4, 6, 3).half().eval(), torch.randn(1, 4, 5).half())
    assert not any(map(is_transposed, convolutions(half)))
