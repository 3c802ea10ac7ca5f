"""Images made smaller, cut into patches, and compared, as papers on super-resolution do it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from bicubic import Bytes, smaller
from conftest import DATA
from image_pairs import Patches, as_image, as_tensor, pair_of, read_pairs
from image_quality import luma, psnr, ssim
from PIL import Image

from niwaki.errors import NiwakiError


def drawn(height: int, width: int, seed: int = 0) -> Bytes:
    """Waves and noise."""
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 3 + y / 7), np.cos(y / 5), np.sin(x * y / 200)], 2)
    noise = np.random.default_rng(seed).normal(0, 10, waves.shape)
    return np.clip(120 + 90 * waves + noise, 0, 255).astype(np.uint8)


def test_luma() -> None:
    colours = [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]
    np.testing.assert_allclose(luma([colours]), [[16, 235, 81.481, 144.553, 40.966]])


def test_psnr_is_of_what_lies_within_the_border() -> None:
    image = drawn(20, 24)
    assert psnr(image, image, 2) == math.inf
    changed = image.copy()
    changed[:2] = changed[:, -2:] = 0
    assert psnr(changed, image, 2) == math.inf
    grey = np.full((20, 24, 3), 100)
    assert psnr(grey + 1, grey, 3) == pytest.approx(20 * math.log10(255 * 255 / 219))


def test_ssim() -> None:
    """By the definition, window by window."""
    image, other = drawn(19, 16), drawn(19, 16, 1)
    assert ssim(image, image, 2) == pytest.approx(1)
    y = np.arange(11) - 5
    window = np.exp(-(y[:, None] ** 2 + y**2) / (2 * 1.5**2))
    window /= window.sum()
    found = []
    for top in range(2, 19 - 2 - 10):
        for left in range(2, 16 - 2 - 10):
            a, b = (luma(one)[top : top + 11, left : left + 11] for one in (image, other))
            means = (window * a).sum(), (window * b).sum()
            variances = (window * (a - means[0]) ** 2).sum(), (window * (b - means[1]) ** 2).sum()
            both = (window * (a - means[0]) * (b - means[1])).sum()
            light = (2 * means[0] * means[1] + 6.5025) / (means[0] ** 2 + means[1] ** 2 + 6.5025)
            found.append(light * (2 * both + 58.5225) / (sum(variances) + 58.5225))
    assert ssim(image, other, 2) == pytest.approx(np.mean(found))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_smaller_images(scale: int) -> None:
    flat = np.full((4 * scale, 5 * scale, 3), 77, np.uint8)
    assert (smaller(flat, scale) == 77).all()
    ramp = np.repeat(np.arange(12 * scale, dtype=np.uint8)[:, None, None], 8, 1)
    middles = np.floor((np.arange(12) + 0.5) * scale - 0.5 + 0.5)
    assert (smaller(ramp, scale)[3:-3, 0, 0] == middles[3:-3]).all()
    stripes = np.tile(np.array([0, 255], np.uint8), (4 * scale, 6 * scale))[:, : 6 * scale, None]
    inner = smaller(stripes, scale)[:, 2:-2].astype(int)
    assert abs(inner - 127).max() < 32, "stripes that are too narrow become grey"


@pytest.mark.requires_data
@pytest.mark.parametrize("name", ["Set5/x2", "Set5/x3", "Set14/x4"])
def test_smaller_images_are_those_that_are_published(name: str) -> None:
    for file in sorted((DATA / "sr" / name / "HR").glob("*.png")):
        published = Image.open(file.parents[1] / "LR" / file.name).convert("RGB")
        image = np.asarray(Image.open(file).convert("RGB"))
        np.testing.assert_array_equal(smaller(image, int(name[-1])), np.asarray(published))


def test_pairs_are_read(tmp_path: Path) -> None:
    with pytest.raises(NiwakiError, match=r"^no data: .*/sr/Set5 has no images; examples/image_pa"):
        read_pairs(tmp_path, "Set5", 2)
    for name, folder in (("Set5", "sr/Set5/x2/HR"), ("T91", "sr/T91")):
        (tmp_path / folder).mkdir(parents=True)
        Image.fromarray(drawn(9, 12)[..., 0]).save(tmp_path / folder / "grey.png")
        (pair,) = read_pairs(tmp_path, name, 2)
        assert (pair.large.shape, pair.small.shape) == ((8, 12, 3), (4, 6, 3))
    assert (as_image(as_tensor(pair.large)) == pair.large).all()


def test_patches() -> None:
    """Large and small ones show the same, turned in the same way."""
    torch.manual_seed(0)
    patches = Patches([pair_of(drawn(40, 60, seed), 2) for seed in range(2)], 12, 8, 3)
    found = list(patches)
    assert len(found) == len(patches) == 3
    for small, large in found:
        assert (small.shape, large.shape) == ((8, 3, 12, 12), (8, 3, 24, 24))
        for one, other in zip(small, large, strict=True):
            again = smaller(as_image(other[None]), 2)[2:-2, 2:-2]
            assert abs(again.astype(int) - as_image(one[None])[2:-2, 2:-2]).max() <= 1
