"""Damaged .onnx files: bits flipped, bytes lost, parts of other files in them.

    python tests/fuzz_onnx.py --count 5000

imports so many, and prints those that end in anything but a network or one line of text.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn
from torch_mlir import ir

from niwaki.errors import NiwakiError
from niwaki.frontend import import_onnx


class Image(nn.Module):
    """Layers with weights in all directions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 4, 3, 2, 1), nn.BatchNorm2d(4)
        self.up, self.head = nn.ConvTranspose2d(4, 2, 2, 2), nn.Linear(32, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.up(torch.relu(self.norm(self.conv(x))))
        x = torch.cat([x, 2 * x], 1)[:, 1:3]
        x = nn.functional.interpolate(x, scale_factor=2)
        x = nn.functional.pad(nn.functional.max_pool2d(x, 2), (1, 1)).reshape(x.shape[0], 2, -1)
        return torch.softmax(self.head(x[:, :, :16].flatten(1)), 1)


class Tokens(nn.Module):
    """Integers, a recurrent layer, sizes as code."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.steps = nn.Embedding(10, 4), nn.LSTM(4, 3, batch_first=True)
        self.norm, self.head = nn.LayerNorm(3), nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.head(self.norm(self.steps(self.embed(x))[0]))
        return result


def whole_files(folder: Path) -> list[bytes]:
    """Files that PyTorch's two exporters write."""
    torch.manual_seed(0)
    examples: list[tuple[nn.Module, torch.Tensor]] = [
        (Image(), torch.randn(1, 2, 8, 8)),
        (Tokens(), torch.zeros(1, 3, dtype=torch.long)),
    ]
    files = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for network, example in examples:
            for dynamo in (False, True):
                path = folder / "whole.onnx"
                torch.onnx.export(
                    network.eval(), (example,), path, opset_version=18, dynamo=dynamo,
                    external_data=False, verbose=False,
                )  # fmt: skip
                files.append(path.read_bytes())
    return files


def mutant(seed: int, files: Sequence[bytes]) -> bytes:
    """One of `files`, damaged in one of four ways."""
    rng = random.Random(seed)
    data, other = bytearray(rng.choice(files)), rng.choice(files)
    place, length = rng.randrange(len(data)), rng.randint(1, 200)
    kind = rng.randrange(4)
    if kind == 0:
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del data[place:]
    elif kind == 2:
        start = rng.randrange(len(other))
        data[place : place + rng.randint(0, 200)] = other[start : start + length]
    else:
        data[place : place + rng.randint(1, 4)] = rng.randbytes(rng.randint(1, 4))
    return bytes(data)


def outcome(data: bytes, path: Path) -> str:
    """What is wrong about the import of `data`, written to `path`; empty where nothing is."""
    path.write_bytes(data)
    try:
        import_onnx(path, ir.Context())
    except NiwakiError as error:
        lines = str(error).splitlines()
        return "" if len(lines) == 1 else f"{len(lines)} lines: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = whole_files(Path(folder))
        for seed in range(count):
            if problem := outcome(mutant(seed, files), Path(folder) / "mutant.onnx"):
                print(seed, problem)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=5000)
    main(parser.parse_args().count)
