"""Style transfer: the network's shapes, what losses say of pictures, and what is judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_photographs import write_photographs
from gallery import style
from gallery.application import Work
from gallery.perception import (
    OUTSIDE_WEIGHT,
    SMOOTH_WEIGHT,
    FeatureNetwork,
    PerceptualLoss,
    gram,
    rough,
    share,
)
from gallery.pictures import SHOWN_SEEDS
from gallery.scenes import landscape
from gallery.strokes import painting
from gallery.style_network import StyleNetwork
from image_pairs import as_tensor


def test_network_gives_a_picture_of_the_same_size() -> None:
    network = StyleNetwork(8, blocks=2).eval()
    picture = torch.rand(2, 3, 40, 64)
    torch.testing.assert_close(network(picture), picture)  # until it is trained
    layers = [name for name, module in network.named_modules() if hasattr(module, "kernel_size")]
    kernels = {network.get_submodule(name).weight.shape[2:] for name in layers}
    assert kernels == {(3, 3)}


def test_gram_is_the_mean_of_products() -> None:
    features = torch.rand(2, 3, 4, 5)
    wanted = sum(
        features[:, :, y, x, None] * features[:, None, :, y, x] for y in range(4) for x in range(5)
    )
    torch.testing.assert_close(gram(features), wanted / 20)


def test_shares() -> None:
    wanted = torch.rand(1, 3, 4)
    assert share(wanted.repeat(2, 1, 1), wanted) == 0
    assert share(torch.zeros(2, 3, 4), wanted) == pytest.approx(1)
    assert share(torch.cat((wanted, 3 * wanted)), wanted) == pytest.approx(1)
    assert rough(torch.ones(1, 3, 4, 4)) == 0
    assert rough(torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])) == 1


def test_loss_is_least_for_what_is_wanted() -> None:
    torch.manual_seed(0)
    network = FeatureNetwork().eval().requires_grad_(False)
    manner, content = as_tensor(painting(64)), as_tensor(landscape(64, 64, 1))
    loss = PerceptualLoss(network, manner)
    assert loss(manner, manner) < loss(manner, content) < loss(torch.rand(1, 3, 64, 64), content)
    assert loss(manner, manner) == pytest.approx(SMOOTH_WEIGHT * float(rough(manner)), rel=1e-3)
    bright = loss(manner + 1, manner) - loss((manner + 1).clamp(0, 1), manner)
    assert bright > OUTSIDE_WEIGHT * 0.2


def test_likeness_sees_edges() -> None:
    flat = torch.full((1, 3, 8, 8), 0.5)
    checked = flat + 0.1 * (-1.0) ** torch.arange(8)
    assert style.likeness_loss(flat, flat) == 0
    assert style.likeness_loss(flat + 0.1, flat) == pytest.approx(0.1)
    assert style.likeness_loss(checked, flat) == pytest.approx(0.3)


def test_judge(tmp_path: Path) -> None:
    write_photographs(tmp_path)
    work = Work(tmp_path, tmp_path, 0.2)
    same, grey = (lambda value: value), (lambda value: np.full_like(value, 0.5))
    judged = style.judge(work, same, same)
    assert [row[1:] for row in judged.rows] == [("1", "1.000"), ("1", "1.000")]
    assert judged.pictures[0].pixels.shape == (256, 3 * 256 + 8, 3)
    assert len(judged.pictures) == len(SHOWN_SEEDS) + 2
    mean, least = (float(row[2]) for row in style.judge(work, same, grey).rows)
    assert least <= mean < 0.8
