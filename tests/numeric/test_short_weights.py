"""Weights of short types, as checkpoints come, that the network itself widens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto
from onnx_models import model, node, normal, save
from small_networks import Function
from torch import nn

import niwaki

SHORT = ("bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz")
ELEMENTS = (
    *("BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ"),
    *("FLOAT16", "DOUBLE", "INT4", "UINT4"),
)


def test_of_pytorch(tmp_path: Path) -> None:
    """One layer a type, half of its weights pruned: each is as sparse as one of float32."""
    weights = [torch.from_numpy(normal(8, 16, seed=n)) for n in range(len(SHORT))]
    for weight in weights:
        weight[:4] = 0
    short = [w.to(getattr(torch, name)) for w, name in zip(weights, SHORT, strict=True)]
    networks = nn.ModuleList(
        Function(lambda self, x: nn.functional.linear(x, self.weight.float() * 0.5)) for _ in short
    )
    for network, weight in zip(networks, short, strict=True):
        network.register_buffer("weight", weight)
    network = Function(lambda self, x: [each(x) for each in self.each], each=networks).eval()
    x = torch.randn(3, 16)
    bundle = niwaki.compile(network, x, output=tmp_path / "n.niwaki")
    for found, wanted in zip(bundle.load()(x.numpy()), network(x), strict=True):
        np.testing.assert_allclose(found, wanted.numpy(), rtol=1e-5, atol=1e-6)
    assert [layer.kept < layer.weights for layer in bundle.manifest.layers] == [True] * len(SHORT)


@pytest.mark.parametrize("external", [False, True])
def test_of_onnx(external: bool, tmp_path: Path) -> None:
    """By Cast, and by DequantizeLinear with a scale for each filter."""
    x, scale = normal(3, 5), np.abs(normal(4)) + 0.5
    nodes, tensors, outputs, expected = [], [], [], []
    for element in ELEMENTS:
        number = getattr(TensorProto, element)
        dtype = onnx.helper.tensor_dtype_to_np_dtype(number)
        values = np.abs(normal(4, 5, seed=number) * 3).round(1).astype(dtype)
        tensors.append(onnx.numpy_helper.from_array(values, element))
        cast = node("Cast", element, to=f"{element}.cast")
        cast.attribute.add(name="to", type=onnx.AttributeProto.INT, i=TensorProto.FLOAT)
        nodes += [cast, node("DequantizeLinear", element, "scale", to=f"{element}.scaled", axis=0)]
        wide = values.astype(np.float32)
        for kind, weight in (("cast", wide), ("scaled", wide * scale[:, None])):
            outputs.append(f"{element}.{kind}.y")
            nodes.append(node("Gemm", "x", f"{element}.{kind}", to=outputs[-1], transB=1))
            expected.append(x @ weight.T)
    made = model(nodes, {"x": x}, {"scale": scale}, outputs, opset=21)
    made.graph.initializer.extend(tensors)
    if external:
        for tensor in made.graph.initializer:
            (tmp_path / tensor.name).write_bytes(tensor.raw_data)
            tensor.ClearField("raw_data")
            tensor.data_location = TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value=tensor.name)
    path = save(made, tmp_path / "net.onnx")
    found = niwaki.compile(path, output=tmp_path / "n.niwaki").load()(x)
    for name, ours, wanted in zip(outputs, found, expected, strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-4, err_msg=name)
