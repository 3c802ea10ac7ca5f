"""The example that prunes the demo's network, on the few images that the repository has."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import fashion_mnist
import numpy as np
import prune_fashion_mnist
import pytest
import torch
from safetensors.torch import load_file


def write_training_set(folder: Path) -> None:
    """Idx files with the repository's test images."""
    with np.load(fashion_mnist.TEST_IMAGES) as archive:
        for name, header, key in (("images-idx3", 16, "images"), ("labels-idx1", 8, "labels")):
            with gzip.open(folder / f"train-{name}-ubyte.gz", "wb") as file:
                file.write(bytes(header) + archive[key].astype(np.uint8).tobytes())


def test_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_training_set(tmp_path)
    output = tmp_path / "pruned.safetensors"
    command = f"--data {tmp_path} --images 512 --epochs 2 --rate 4 --output {output}"
    monkeypatch.setattr(sys, "argv", ["prune_fashion_mnist.py", *command.split()])
    threads = torch.get_num_threads()
    try:
        prune_fashion_mnist.main()
    finally:
        torch.set_num_threads(threads)
    printed = capsys.readouterr()
    assert "dense: 93." in printed.out
    assert "rate 4.0" in printed.err.splitlines()[-1]
    weight = load_file(output)["layer3.0.conv2.weight"]
    assert float((weight != 0).float().mean()) == pytest.approx(0.25, rel=0.02)
    taps = (weight != 0).flatten(2).sum(dim=2)
    assert set(taps.flatten().tolist()) == {0, 4}, "patterns of 4 taps, or nothing"
