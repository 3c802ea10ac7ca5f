"""The example that prunes the demo's network, on the few images that the repository has."""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import fashion_mnist
import numpy as np
import prune_fashion_mnist
import pytest
import torch
from safetensors.torch import load_file

from niwaki.pruning import METHODS, PRUNING_SCHEMES, parse_scheme


def write_training_set(folder: Path) -> None:
    """Idx files with the repository's test images."""
    parts = (("images-idx3", 16, "images"), ("labels-idx1", 8, "labels"))
    with np.load(fashion_mnist.TEST_IMAGES) as archive:
        for split, (name, header, key) in product(("train", "t10k"), parts):
            with gzip.open(folder / f"{split}-{name}-ubyte.gz", "wb") as file:
                file.write(bytes(header) + archive[key].astype(np.uint8).tobytes())


@pytest.fixture
def run_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """Runs the example with options, on few images; returns the file that it wrote."""
    write_training_set(tmp_path)
    output = tmp_path / "pruned.safetensors"
    threads = torch.get_num_threads()

    def run(options: str) -> Path:
        command = f"--data {tmp_path} --images 256 --epochs 2 --output {output} {options}"
        monkeypatch.setattr(sys, "argv", ["prune_fashion_mnist.py", *command.split()])
        prune_fashion_mnist.main()
        return output

    yield run
    torch.set_num_threads(threads)


def test_example_runs(
    run_example: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    weight = load_file(run_example("--rate 4"))["layer3.0.conv2.weight"]
    printed = capsys.readouterr()
    assert "dense: 93." in printed.out
    assert "rate 4.0" in printed.err.splitlines()[-1]
    assert float((weight != 0).float().mean()) == pytest.approx(0.25, rel=0.02)
    taps = (weight != 0).flatten(2).sum(dim=2)
    assert set(taps.flatten().tolist()) == {0, 4}, "patterns of 4 taps, or nothing"


def test_example_runs_by_time(
    run_example: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Layers come to rates of their own, and together to the time."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    options = "--scheme block_punched --rate 3 --method search --costs arm64-android --all-tests"
    weights = load_file(run_example(options))
    shares = {name: float((w != 0).float().mean()) for name, w in weights.items() if w.dim() == 4}
    pruned = {share for name, share in shares.items() if name.startswith("layer")}
    assert len(pruned) > 5
    assert 0.02 < min(pruned) < 1 / 3
    share, all_share = re.findall(r"pruned.*: (\d+)\.", capsys.readouterr().out)
    assert share == all_share, "here they are the same images"


# Each scheme and each method occurs, the schemes with a rate that they can have exactly.
EXAMPLES = (
    ("unstructured", 4, "magnitude"),
    ("filter", 2, "search"),
    ("filter", 2, "gradual"),
    ("channel", 2, "gradual"),
    ("column", 4, "gradual"),
    ("pattern", 4, "halving"),
    ("block_punched", 4, "reweighted"),
    ("kernel_group", 4, "group_lasso"),
    ("block_column_row", 4, "admm"),
    ("crossbar(filters=16,columns=8)", 4, "quantized"),
    ("n_m", 2, "layerwise"),
)


def test_examples_are_of_all_schemes_and_methods() -> None:
    assert {parse_scheme(scheme).name for scheme, _, _ in EXAMPLES} == set(PRUNING_SCHEMES)
    assert {method for _, _, method in EXAMPLES} | {"admm"} == set(METHODS)


@pytest.mark.parametrize(("scheme", "rate", "method"), EXAMPLES)
def test_example_runs_with(
    scheme: str, rate: int, method: str, run_example: Callable[[str], Path]
) -> None:
    weights = load_file(run_example(f"--rate {rate} --scheme {scheme} --method {method}"))
    layers = [value for name, value in weights.items() if name.endswith(".conv2.weight")]
    total = sum(layer.numel() for layer in layers)
    kept = sum(int(layer.count_nonzero()) for layer in layers)
    # Search and shared rates spread over layers, these among them.
    assert total / kept > 0.7 * rate
    assert all(layer.any() for layer in layers)
