"""The demo's checkpoints are what their README says: accurate, and really block-punched."""

from __future__ import annotations

import fashion_mnist
import numpy as np
import pytest
import torch
from torch import nn

BLOCK = 8
DENSE_LAYERS = {"conv1", "layer1.0.downsample.0", "layer2.0.downsample.0", "layer3.0.downsample.0"}


def convolutions(network: nn.Module) -> dict[str, np.ndarray]:
    """Weights of each convolution as filters x columns."""
    return {
        name: module.weight.detach().flatten(1).numpy()
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d)
    }


def correct(network: nn.Module) -> int:
    images, labels = fashion_mnist.load_test_images()
    with torch.inference_mode():
        return int((network(torch.from_numpy(images)).numpy().argmax(1) == labels).sum())


def test_images_are_normalised() -> None:
    images, labels = fashion_mnist.load_test_images()
    assert images.shape == (1000, 1, 28, 28)
    assert images.dtype == np.float32
    assert abs(images.mean()) < 0.05
    assert abs(images.std() - 1) < 0.05
    assert labels.shape == (1000,)
    assert labels.dtype == np.int64
    assert set(labels) == set(range(len(fashion_mnist.CLASSES)))


def test_accuracy_of_checkpoints() -> None:
    dense, pruned = correct(fashion_mnist.make_dense()[0]), correct(fashion_mnist.make()[0])
    control = correct(fashion_mnist.load_network(fashion_mnist.CONTROL_CHECKPOINT))
    # A few images may flip between versions of PyTorch and machines.
    assert dense == pytest.approx(936, abs=3)
    assert pruned == pytest.approx(938, abs=3)
    assert control == pytest.approx(934, abs=3)


def test_predictions_are_clear_cut() -> None:
    """The demo compares predictions one by one, which says nothing where two logits nearly tie."""
    images, _ = fashion_mnist.load_test_images()
    with torch.inference_mode():
        best = fashion_mnist.make()[0](torch.from_numpy(images)).topk(2).values
    assert float((best[:, 0] - best[:, 1]).min()) > 1e-3


def test_make_gives_network_in_eval_mode_and_an_input_that_fits() -> None:
    for network, example in (fashion_mnist.make(), fashion_mnist.make_dense()):
        assert not network.training
        assert network(*example).shape == (1, 10)


def test_blocks_of_filters_keep_the_same_columns() -> None:
    for name, weights in convolutions(fashion_mnist.make()[0]).items():
        if name in DENSE_LAYERS:
            assert np.count_nonzero(weights) == weights.size, name
            continue
        kept = (weights != 0).reshape(-1, BLOCK, weights.shape[1])
        assert (kept == kept[:, :1]).all(), f"{name}: filters of a block keep different columns"
        assert (kept[:, 0].sum(axis=1) == weights.shape[1] // 8).all(), f"{name}: not 8x"


def test_dense_checkpoint_is_dense() -> None:
    for name, weights in convolutions(fashion_mnist.make_dense()[0]).items():
        assert np.count_nonzero(weights) == weights.size, name


def test_shipped_files_are_small() -> None:
    for path in fashion_mnist.DATA.iterdir():
        assert path.stat().st_size < 2_000_000, path.name
