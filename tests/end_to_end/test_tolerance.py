"""`niwaki compile --tolerance` of files, which bring no examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from numeric.test_tolerance import differences
from torch import nn

import niwaki
from niwaki.cli import main
from niwaki.runtime.bundle import open_bundle

from .test_onnx import export

TOLERANCE = 0.01


def write_pt2(model: nn.Module, x: torch.Tensor, path: Path) -> None:
    torch.export.save(torch.export.export(model, (x,)), path)


def write_onnx(model: nn.Module, x: torch.Tensor, path: Path) -> None:
    export(model, x, path, dynamo=False, opset=17)


@pytest.mark.parametrize(("kind", "write"), [("pt2", write_pt2), ("onnx", write_onnx)])
def test_files(
    kind: str, write: Callable[[nn.Module, torch.Tensor, Path], None], tmp_path: Path
) -> None:
    """Examples decide which layers stay f32. A pooling, which may be narrow too, is not counted."""
    model = nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), *differences()).eval()
    data = np.random.default_rng(5).standard_normal((6, 1, 8, 8)).astype(np.float32)
    file, images, output = tmp_path / f"net.{kind}", tmp_path / "images.npz", tmp_path / "n.niwaki"
    write(model, torch.from_numpy(data[:2]), file)
    np.savez(images, data)
    options = ["--precision", "f16", "--tolerance", str(TOLERANCE), "--calibrate", str(images)]
    result = CliRunner().invoke(main, ["compile", str(file), "-o", str(output), *options])
    assert result.exit_code == 0, result.output
    told = " ".join(result.output.split())
    types = {layer.name: layer.element for layer in open_bundle(output).layers}
    assert (types["3"], types["4"]) == ("f32", "f16")
    counted = [f"{count} {element}" for element, count in Counter(types.values()).most_common()]
    assert f"types: {', '.join(counted)}" in told
    assert "layers are f16" not in told
    assert "with layers of f16 off by 0" in told
    assert "(tolerance 1%, measured in 3 calls with images.npz)" in told
    run = niwaki.load(output)
    found = np.concatenate([run(part) for part in np.split(data, 3)])
    with torch.no_grad():
        wanted = model(torch.from_numpy(data)).numpy()
    assert np.abs(found - wanted).max() <= (TOLERANCE + 1e-4) * np.abs(wanted).max()
