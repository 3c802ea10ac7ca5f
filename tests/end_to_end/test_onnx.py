"""Networks that PyTorch's two exporters wrote as ONNX files, compiled and compared with PyTorch."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from pathlib import Path
from typing import Any

import models
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from numeric.cases import TOLERANCE, difference
from small_networks import ResNet, randomize_batch_norm
from torch import nn
from torch.nn import functional

import niwaki
from niwaki import NiwakiError
from niwaki.cli import main

# PyTorch's new exporter writes opset 18 and later only.
EXPORTS = [(False, 11), (False, 13), (False, 17), (False, 18), (False, 21), (True, 18), (True, 21)]


def export(
    model: nn.Module, x: torch.Tensor, path: Path, dynamo: bool, opset: int, **options: Any
) -> Path:
    """Write `model` to `path`, without what the exporters print and warn of."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(),
            (x,),
            path,
            dynamo=dynamo,
            opset_version=opset,
            verbose=False,
            input_names=["image"],
            **options,
        )
    return path


def check(
    model: nn.Module, x: torch.Tensor, network: niwaki.Network, tolerance: float = TOLERANCE
) -> None:
    """Compare two inputs' results, which must differ."""
    results = []
    for image in (x, 1.5 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))):
        with torch.no_grad():
            expected = model.eval()(image).numpy()
        results.append(network(image.numpy()))
        assert not difference(results[-1], expected, tolerance)
    spread = np.abs(results[0]).max()
    assert np.abs(results[0] - results[1]).max() > 0.01 * spread


class Mixture(nn.Module):
    """What vision networks have beside convolutions; for [n, 3, 16, 16]."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.Hardswish())
        self.depthwise = nn.Conv2d(16, 16, 3, padding=1, groups=16, bias=False)
        self.bn = nn.BatchNorm2d(16)
        self.squeeze = nn.Conv2d(16, 4, 1)
        self.excite = nn.Conv2d(4, 16, 1)
        self.prelu = nn.PReLU(16)
        self.norm = nn.GroupNorm(4, 16)
        self.up = nn.ConvTranspose2d(16, 8, 2, 2)
        self.tokens = nn.LayerNorm(16)
        self.mix = nn.Linear(16, 16)
        self.shuffle = nn.PixelShuffle(2)
        self.head = nn.Linear(8 + 16 + 4, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        y = torch.clamp(self.bn(self.depthwise(x)), -1, 6)
        scale = functional.silu(self.squeeze(y.mean((2, 3), keepdim=True)))
        y = self.prelu(y * torch.sigmoid(self.excite(scale)) + x)
        y = self.norm(functional.pad(y, (1, 1, 0, 0), mode="reflect"))
        first, second = torch.split(y, [4, 12], dim=1)
        y = torch.cat([second, functional.leaky_relu(first, 0.1)], 1)[:, :, :, 1:-1]
        up = functional.interpolate(self.up(y), scale_factor=0.5, mode="bilinear")
        near = functional.interpolate(self.shuffle(y), scale_factor=2.0, mode="nearest")
        tokens = y.flatten(2).transpose(1, 2)
        tokens = tokens + functional.gelu(self.mix(self.tokens(tokens)))
        tokens = torch.softmax(tokens, -1).mean(1) * 16
        pooled = functional.max_pool2d(up, 2).amax((2, 3)) + functional.avg_pool2d(up, 8).flatten(1)
        near = functional.adaptive_avg_pool2d(near, 1)
        y = torch.cat([pooled, tokens, near.view(near.size(0), -1)], 1)
        return self.head(functional.dropout(y, 0.5, self.training))


@pytest.mark.parametrize(("dynamo", "opset"), EXPORTS)
def test_exporters_and_opsets(dynamo: bool, opset: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, x = randomize_batch_norm(Mixture()), torch.randn(1, 3, 16, 16)
    path = export(model, x, tmp_path / "net.onnx", dynamo, opset)
    bundle = niwaki.compile(path, output=tmp_path / "net.niwaki")
    check(model, x, bundle.load())
    names = [layer.name for layer in bundle.layers]
    for name in ("stem.0", "depthwise", "squeeze", "excite", "mix", "head"):
        assert name in names


@pytest.mark.parametrize(
    ("network", "dynamo", "opset"),
    [
        ("resnet18", False, 17),
        ("resnet50", True, 18),
        ("mobilenet_v2", True, 21),
        ("vgg16", False, 13),
    ],
)
def test_networks_of_the_benchmarks(network: str, dynamo: bool, opset: int, tmp_path: Path) -> None:
    model, (x,) = models.MODELS[network](size=32, classes=10)
    path = export(model, x, tmp_path / "net.onnx", dynamo, opset)
    bundle = niwaki.compile(path, output=tmp_path / "net.niwaki")
    # At this size PyTorch's own results are off by 5e-5 of those in float64.
    check(model, x, bundle.load(), tolerance=3e-4)
    layers = {
        name for name, module in model.named_modules() if isinstance(module, (nn.Conv2d, nn.Linear))
    }
    assert layers <= {layer.name for layer in bundle.layers}


@pytest.mark.parametrize("dynamo", [False, True])
def test_symbolic_batch(dynamo: bool, tmp_path: Path) -> None:
    model, x = Mixture(), torch.randn(2, 3, 16, 16)
    symbolic: dict[str, Any] = (
        {"dynamic_shapes": ({0: torch.export.Dim("batch")},)}
        if dynamo
        else {"dynamic_axes": {"image": {0: "batch"}}}
    )
    path = export(model, x, tmp_path / "net.onnx", dynamo, 18, **symbolic)
    bundle = niwaki.compile(path, output=tmp_path / "one.niwaki")
    assert str(bundle.manifest.signature.inputs[0]) == "image: 1x3x16x16xfloat32"
    check(model, x[:1], bundle.load())

    output = tmp_path / "three.niwaki"
    result = CliRunner().invoke(main, ["compile", str(path), "-o", str(output), "--batch", "3"])
    assert result.exit_code == 0, result.output
    check(model, torch.randn(3, 3, 16, 16), niwaki.load(output))


def test_zeros_are_found(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3))
    x = torch.randn(1, 3, 16, 16)
    kept = torch.rand(2, 16, 3, 3, generator=torch.Generator().manual_seed(0)) < 0.2
    model[2].weight.data *= kept.repeat_interleave(8, dim=0)
    path = export(model, x, tmp_path / "net.onnx", False, 17)
    bundle = niwaki.compile(path, output=tmp_path / "net.niwaki")
    schemes = {layer.name: layer.scheme for layer in bundle.layers}
    assert schemes == {"0": "dense", "2": "block_punched(8x1)"}
    check(model, x, bundle.load())


def test_nan_flows_as_in_pytorch(tmp_path: Path) -> None:
    class Clamps(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.relu(x) + torch.clamp(x, -1, 1) + functional.relu6(x)
            return torch.maximum(y, x.flip(0)) + torch.minimum(y, x)

    x = torch.tensor([1.0, float("nan"), float("inf"), -float("inf"), -2.0, 0.5])
    path = export(Clamps(), x, tmp_path / "net.onnx", False, 17)
    network = niwaki.compile(path, output=tmp_path / "net.niwaki").load()
    assert not difference(network(x.numpy()), Clamps()(x).numpy())


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    path = export(ResNet(), torch.randn(1, 3, 16, 16), tmp_path / "net.onnx", True, 18)
    bundles = [tmp_path / "first.niwaki", tmp_path / "second.niwaki"]
    for bundle in bundles:
        niwaki.compile(path, output=bundle)
    assert bundles[0].read_bytes() == bundles[1].read_bytes()


def test_a_mistake_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"nonsense")
    with pytest.raises(NiwakiError, match=r"net\.onnx: is not an ONNX file"):
        niwaki.compile(path, output=tmp_path / "net.niwaki")
    result = CliRunner().invoke(main, ["compile", str(path), "-o", str(tmp_path / "n.niwaki")])
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert list(tmp_path.iterdir()) == [path]
