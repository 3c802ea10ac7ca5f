"""The shipped checkpoints: small, compiled as they were pruned, and as good as in PyTorch."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoints import CHECKPOINTS, Checkpoint
from fashion_mnist import DATA
from numpy.typing import NDArray
from training.plan import SHIPPED
from training.results import find_row, read_rows

import niwaki
from niwaki.pruning import find_layers
from niwaki.runtime.emulate import Emulator


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_compiles_as_it_was_pruned(name: str, tmp_path: Path) -> None:
    checkpoint = CHECKPOINTS[name]
    network, example = checkpoint.make()
    bundle = niwaki.compile(network, example, output=tmp_path / "net.niwaki")
    assert_found(checkpoint, bundle)
    inputs, labels = checkpoint.inputs()
    with torch.inference_mode():
        expected = network(torch.from_numpy(inputs)).numpy()
    run = bundle.load()
    found = np.concatenate([run(x[None]) for x in inputs])
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()
    assert (found.argmax(1) == labels).mean() == (expected.argmax(1) == labels).mean()


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_half_precision(name: str, tmp_path: Path) -> None:
    """On a host, where sums are f32: all predictions are the same."""
    network, example = CHECKPOINTS[name].make()
    bundle = niwaki.compile(network, example, output=tmp_path / "net.niwaki", precision="f16")
    inputs, _ = CHECKPOINTS[name].inputs()
    run = bundle.load()
    assert_equal_but_for_ties(np.concatenate([run(x[None]) for x in inputs]), network, inputs)


@pytest.mark.requires_qemu
@pytest.mark.parametrize("name", CHECKPOINTS)
def test_half_precision_on_a_phone(name: str, arm64: Emulator, tmp_path: Path) -> None:
    """Sums are f16, too."""
    network, example = CHECKPOINTS[name].make()
    inputs, _ = CHECKPOINTS[name].inputs()
    inputs = np.ascontiguousarray(inputs[:100])
    path = tmp_path / "net.niwaki"
    options: dict[str, Any] = {"target": "arm64-android", "precision": "f16"}
    niwaki.compile(network, example, output=path, batch=len(inputs), **options)
    (found,) = arm64.run_bundle(path, [inputs])
    assert_equal_but_for_ties(found, network, inputs)


def assert_equal_but_for_ties(
    found: NDArray[Any], network: torch.nn.Module, inputs: NDArray[Any]
) -> None:
    """Within a percent of the largest value; the same class where no other one is as close."""
    with torch.inference_mode():
        expected = network(torch.from_numpy(inputs)).numpy()
    limit = 0.01 * np.abs(expected).max()
    assert np.abs(found - expected).max() <= limit
    *_, second, first = np.sort(expected, axis=1).T
    clear = first - second > 2 * limit
    assert clear.mean() > 0.9
    assert np.array_equal(found.argmax(1)[clear], expected.argmax(1)[clear])


def assert_found(checkpoint: Checkpoint, bundle: niwaki.Bundle) -> None:
    """The scheme of most weights that were pruned is the one they were pruned to."""
    weights: Counter[str] = Counter()
    for layer in bundle.layers:
        if layer.kept < layer.weights / 2:
            weights[layer.scheme.split("(")[0]] += layer.weights
    assert weights[checkpoint.scheme] > 0.8 * weights.total()


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_is_small_sparse_and_accurate(name: str) -> None:
    checkpoint = CHECKPOINTS[name]
    assert (DATA / checkpoint.file).stat().st_size < 400_000
    network = checkpoint.load()
    pruned = [layer.weight for layer in find_layers(network) if layer.weight.count_nonzero() <
              layer.weight.numel() / 2]  # fmt: skip
    total = sum(weight.numel() for weight in pruned)
    assert total / sum(int(weight.count_nonzero()) for weight in pruned) > 0.97 * checkpoint.rate
    inputs, labels = checkpoint.inputs()
    with torch.inference_mode():
        found = network(torch.from_numpy(inputs)).argmax(1).numpy()
    row = find_row(vars(SHIPPED[name]), read_rows())
    assert row is not None, "docs/accuracy.md has a row of each"
    # The sample is a part of what the row was tested on.
    assert abs((found == labels).mean() - row["accuracy"]) < 0.06
