"""`niwaki cost` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import click.testing
import pytest

from niwaki.cli import main

NET = """
import torch
from torch import nn

def make():
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 24, 3, padding=1)]
    return nn.Sequential(*layers).eval(), (torch.zeros(1, 3, 20, 20),)
"""


def niwaki(*arguments: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, arguments)


@pytest.fixture
def net(tmp_path: Path) -> str:
    (tmp_path / "net.py").write_text(NET)
    return f"{tmp_path / 'net.py'}:make"


def test_layers_are_priced_by_measurement(net: str, tmp_path: Path) -> None:
    args = ("cost", net, "--scheme", "block_punched", "--rates", "2,4", "--json")
    done = niwaki(*args, "--costs", str(tmp_path / "costs.sqlite"))
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["source"] == "measure"
    first, second = told["layers"]
    assert (first["layer"], second["layer"]) == ("0", "2")
    assert [one["rate"] for one in second["pruned"]] == [2, 4]
    assert 0 < second["dense"] < 1
    assert told["dense"] >= first["dense"] + second["dense"]


def test_layers_of_a_phone_are_a_table(net: str, tmp_path: Path) -> None:
    args = ("cost", net, "--target", "arm64-android", "--costs", str(tmp_path / "costs.sqlite"))
    done = niwaki(*args)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["layer", "weights", "scheme", "1x", "2x", "4x", "8x", "16x"]
    assert lines[2].split()[:3] == ["0", "16x3x9", "dense"]
    assert lines[-1].startswith("ms on arm64-android, by estimate: dense network ")


MLIR = """
func.func @main(%x: tensor<1x16x12x12xf32>) -> tensor<1x24x10x10xf32> {
  %w = arith.constant dense<0.5> : tensor<24x16x3x3xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x24x10x10xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x24x10x10xf32>)
    -> tensor<1x24x10x10xf32>
  %y = linalg.conv_2d_nchw_fchw
    {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<1x16x12x12xf32>, tensor<24x16x3x3xf32>)
    outs(%init : tensor<1x24x10x10xf32>) -> tensor<1x24x10x10xf32>
  return %y : tensor<1x24x10x10xf32>
}
"""  # fmt: skip


def exported(path: Path) -> Path:
    """A network of one layer, 24x16x3x3, as its ending says; what PyTorch exports has any batch."""
    if path.suffix == ".mlir":
        path.write_text(MLIR)
        return path
    import torch
    from end_to_end.test_onnx import export

    x, model = torch.zeros(2, 16, 12, 12), torch.nn.Conv2d(16, 24, 3).eval()
    if path.suffix == ".onnx":
        return export(model, x, path, False, 17, dynamic_axes={"image": {0: "n"}})
    batch = torch.export.Dim("batch")
    torch.export.save(torch.export.export(model, (x,), dynamic_shapes=({0: batch},)), path)
    return path


@pytest.mark.parametrize("ending", ["mlir", "onnx", "pt2"])
@pytest.mark.parametrize("by", ["estimate", "measure"])
def test_files_are_priced(tmp_path: Path, ending: str, by: str) -> None:
    path = exported(tmp_path / f"net.{ending}")
    args = ("cost", str(path), "--costs", str(tmp_path / "costs.sqlite"), "--json", "--by", by)
    more = () if ending == "mlir" else ("--batch", "1")
    done = niwaki(*args, *more, "--scheme", "block_punched", "--rates", "4")
    assert done.exit_code == 0, done.stderr
    (layer,) = json.loads(done.stdout)["layers"]
    assert (layer["filters"], layer["channels"], layer["taps"]) == (24, 16, 9)
    assert layer["positions"] == 100
    assert layer["pruned"][0]["seconds"] > 0


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--rates", "2,x"), "--rates 2,x: give numbers above 1: --rates 2,4,8"),
        (("--rates", "1"), "--rates 1: give numbers above 1: --rates 2,4,8"),
        (("--times", "net.niwaki"), "--times net.niwaki: give a bundle and a file"),
        (("--scheme", "blocks"), "unknown pruning scheme 'blocks'"),
        (("--target", "vulkan"), "target 'vulkan' has no costs"),
    ],
)
def test_mistakes_are_one_line(net: str, args: tuple[str, ...], told: str) -> None:
    done = niwaki("cost", net, *args)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_two_sources_are_wrong_usage(net: str) -> None:
    done = niwaki("cost", net, "--times", "a=b", "--by", "estimate")
    assert done.exit_code == 2
    assert "--times are a source of costs themselves" in done.stderr
