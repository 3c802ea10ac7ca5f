"""Damaged .onnx files: bits flipped, bytes lost, parts of other files in them.

    python tests/fuzz_onnx.py --count 5000

Each is imported, or refused in one line.
"""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import fuzzing
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


def whole_files(folder: Path) -> Path:
    """A folder of files that PyTorch's two exporters write."""
    torch.manual_seed(0)
    examples: list[tuple[nn.Module, torch.Tensor]] = [
        (Image(), torch.randn(1, 2, 8, 8)),
        (Tokens(), torch.zeros(1, 3, dtype=torch.long)),
    ]
    whole = folder / "whole"
    whole.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for network, example in examples:
            for dynamo in (False, True):
                path = whole / f"{type(network).__name__}{dynamo}.onnx"
                torch.onnx.export(
                    network.eval(), (example,), path, opset_version=18, dynamo=dynamo,
                    external_data=False, verbose=False,
                )  # fmt: skip
    return whole


def mutant(seed: int, source: Path) -> bytes:
    """One of the files in `source`, damaged in one of four ways."""
    rng = random.Random(seed)
    files = [path.read_bytes() for path in sorted(source.iterdir())]
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


def run(seed: int, source: Path, folder: Path) -> str:
    """Make one and import it; what became of it."""
    return outcome(mutant(seed, source), folder / "mutant.onnx")


def outcome(data: bytes, path: Path) -> str:
    """What becomes of `data`, written to `path`."""
    path.write_bytes(data)
    try:
        with ir.Context() as context:
            import_onnx(path, context)
    except NiwakiError as error:
        text = str(error)
        assert text.isprintable(), repr(text)
        return "refused"
    return "imported"


if __name__ == "__main__":
    fuzzing.main(whole_files, run)
