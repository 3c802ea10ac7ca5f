"""Recurrent layers with every option, and cells in loops, against PyTorch; the same from ONNX."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import niwaki
from niwaki.dialects import RecurrentOp, context
from niwaki.errors import NiwakiError
from niwaki.frontend import import_onnx, import_torch

from .cases import check, difference
from .recurrent_options import loops, options


# PyTorch says how it computes projections.
@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
def test_options(tmp_path: Path) -> None:
    compiled = check([*options(), *loops()], tmp_path)
    layers = [layer for layer in compiled.bundle.layers if layer.op.startswith("recurrent")]
    parts = [layer.name.partition(".layer")[2] for layer in layers]
    two_ways = [".l0", ".l0.reverse", ".l1", ".l1.reverse"]
    assert sorted(parts[:4]) == sorted(parts[4:8]) == two_ways


@pytest.mark.requires_vulkan
def test_options_on_gpus(tmp_path: Path) -> None:
    small = [case for case in options() if case.name in ("LSTM", "one step")]
    check([*small, *loops()], tmp_path, "vulkan")


class Network(nn.Module):
    """Layers of both kinds, which an exporter of ONNX turns into nodes with others around."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(4, 7, 2, bidirectional=True, batch_first=True)
        self.lstm = nn.LSTM(14, 5)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        y, last = self.gru(x, h)
        z, _ = self.lstm(y)
        return z, last


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dynamo", [False, True])
def test_the_same_from_onnx(dynamo: bool, tmp_path: Path) -> None:
    """Layers, and so kernels, are those of the network that the file was exported from."""
    model, path = Network().eval(), tmp_path / "net.onnx"
    inputs = torch.randn(3, 5, 4), torch.randn(4, 3, 7)
    torch.onnx.export(model, inputs, str(path), dynamo=dynamo, verbose=False)
    ours = _layers(import_torch(model, inputs, context()).module)
    assert len(ours) == 5
    imported = import_onnx(path, context()).module
    assert _layers(imported) == ours
    names = {op.location.name_str for op in _recurrent(imported)}
    assert names == {"gru", "gru.reverse", "lstm"}
    if not dynamo:
        return
    bundle = niwaki.compile(path, output=tmp_path / "net.niwaki")
    with torch.no_grad():
        expected = model(*inputs)
    found = bundle.load()(*[x.numpy() for x in inputs])
    assert [difference(a, b.numpy()) for a, b in zip(found, expected, strict=True)] == ["", ""]
    assert {layer.name for layer in bundle.layers} == names


@pytest.mark.filterwarnings("ignore")
def test_files_with_projections_are_wrong(tmp_path: Path) -> None:
    """The exporter leaves the projection out, and takes its size for that of the layer."""
    model, path = nn.LSTM(3, 7, proj_size=2).eval(), tmp_path / "net.onnx"
    torch.onnx.export(model, (torch.zeros(2, 1, 3),), str(path), dynamo=True, verbose=False)
    with pytest.raises(NiwakiError, match=r"of shape \[1, 1, 7\]: a layer of 2 units needs"):
        import_onnx(path, context())


def _layers(module: Any) -> list[str]:
    """Recurrent layers as text, sorted."""
    texts = [op.operation.get_asm(use_local_scope=True) for op in _recurrent(module)]
    return sorted(map(_with_numbers, texts))


def _recurrent(module: Any) -> list[Any]:
    (function,) = module.body.operations
    return [op for op in function.entry_block.operations if isinstance(op, RecurrentOp)]


def _with_numbers(text: str) -> str:
    """Values called by the order in which they come."""
    names = dict.fromkeys(re.findall(r"%\w+", text))
    numbers = {name: f"%{number}" for number, name in enumerate(names)}
    return re.sub(r"%\w+", lambda match: numbers[match.group()], text)
