"""Colourisation: Lab, the network's shapes, losses, and what is judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_photographs import write_photographs
from gallery import colour
from gallery.application import Work
from gallery.colour_network import ColourNetwork
from gallery.colour_space import COLOUR, LIGHTNESS, to_lab, to_rgb
from gallery.pictures import SHOWN_SEEDS
from gallery.scenes import landscape
from image_pairs import as_tensor
from image_quality import ssim


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((1, 1, 1), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((1, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 1), (32.30, 79.19, -107.86)),
        ((0.01, 0.01, 0.01), (0.70, 0, 0)),  # where roots are a line
    ],
)
def test_lab(rgb: tuple[float, ...], lab: tuple[float, ...]) -> None:
    lightness, colours = to_lab(torch.tensor(rgb).float().reshape(1, 3, 1, 1))
    found = (LIGHTNESS * lightness.item(), *(COLOUR * colours.flatten()).tolist())
    assert found == pytest.approx(lab, abs=0.03)


def test_lab_and_back() -> None:
    torch.manual_seed(0)
    pictures = torch.rand(2, 3, 16, 16) ** 3
    torch.testing.assert_close(to_rgb(*to_lab(pictures)), pictures, atol=1e-4, rtol=0)


def test_network_gives_two_colours_of_each_pixel() -> None:
    network = ColourNetwork(8).eval()
    assert network(torch.rand(2, 1, 32, 48)).shape == (2, 2, 32, 48)


def test_vivid_colours_count_more() -> None:
    grey, vivid = torch.zeros(1, 2, 4, 4), torch.full((1, 2, 4, 4), 0.5)
    assert colour.colour_loss(vivid, vivid) == 0
    assert colour.colour_loss(grey, vivid) > 1.4 * colour.colour_loss(vivid, grey)


def test_lightness_stays() -> None:
    picture = landscape(32, 32, 1)
    grey = colour.grey_of(picture)
    assert np.ptp(grey.astype(int), axis=2).max() <= 1
    assert not colour.is_colourful(grey)
    assert colour.is_colourful(picture)
    _, colours = to_lab(as_tensor(picture))
    again = colour.coloured(lambda lightness: colours.numpy(), picture)
    assert np.abs(again.astype(int) - picture).max() <= 1


def test_ssim_of_colours_sees_what_that_of_brightness_does_not() -> None:
    picture = landscape(32, 32, 1)
    grey = colour.grey_of(picture)
    assert ssim(grey, picture, 0) > 0.97
    assert colour.ssim_of_colours(grey, picture) < 0.95
    assert colour.ssim_of_colours(picture, picture) == pytest.approx(1)


def test_judge(tmp_path: Path) -> None:
    write_photographs(tmp_path)
    work = Work(tmp_path, tmp_path, 0.2)

    def grey(lightness: np.ndarray) -> np.ndarray:
        return np.zeros((1, 2, *lightness.shape[2:]), np.float32)

    judged = colour.judge(work, grey, grey)
    likeness, least, errors = judged.rows
    assert likeness[1:] == least[1:] == ("1", "1.000")
    assert errors[1] == errors[2]
    assert f"grey pictures {errors[1]})" in errors[0]
    assert judged.pictures[0].pixels.shape == (256, 4 * 256 + 12, 3)
    assert len(judged.pictures) == len(SHOWN_SEEDS) + 1
