"""The shipped checkpoints: small, compiled as they were pruned, and as good as in PyTorch."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import CHECKPOINTS, Checkpoint
from fashion_mnist import DATA
from training.plan import SHIPPED
from training.results import find_row, read_rows

import niwaki
from niwaki.pruning import find_layers


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
