"""How like another image an image is, as papers on super-resolution measure it: PSNR and SSIM.

Both see brightness alone (Y of BT.601, 16 to 235), and leave out a border that is as wide as the
image was enlarged, where networks lack neighbours.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
PEAK = 255
# Of SSIM (Wang et al. 2004): a Gaussian window, and what keeps quotients of flat parts finite.
WINDOW, DEVIATION = 11, 1.5
FLAT = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2


def luma(image: npt.ArrayLike) -> Array:
    """Brightness of an image ``[height, width, red green blue]`` from 0 to 255."""
    return np.asarray(image, np.float64) @ np.array([65.481, 128.553, 24.966]) / 255 + 16


def psnr(image: npt.ArrayLike, true: npt.ArrayLike, border: int) -> float:
    """Peak signal to noise, in dB."""
    error = np.square(_inner(image, border) - _inner(true, border)).mean()
    return math.inf if error == 0 else 10 * math.log10(PEAK**2 / error)


def ssim(image: npt.ArrayLike, true: npt.ArrayLike, border: int) -> float:
    """Structural similarity: 1 where images are the same."""
    x, y = _inner(image, border), _inner(true, border)
    mean_x, mean_y = blurred(x), blurred(y)
    variances = blurred(x * x) - mean_x**2 + blurred(y * y) - mean_y**2
    both = blurred(x * y) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + FLAT[0]) * (2 * both + FLAT[1])
    return float((likeness / ((mean_x**2 + mean_y**2 + FLAT[0]) * (variances + FLAT[1]))).mean())


def blurred(image: Array) -> Array:
    """By a Gaussian window, where all of it lies in the image."""
    distance = np.arange(WINDOW) - WINDOW // 2
    window = np.exp(-(distance**2) / (2 * DEVIATION**2))
    window /= window.sum()
    for axis in (0, 1):
        image = np.lib.stride_tricks.sliding_window_view(image, WINDOW, axis) @ window
    return image


def _inner(image: npt.ArrayLike, border: int) -> Array:
    """Brightness without a border."""
    y = luma(image)
    return y[border : y.shape[0] - border, border : y.shape[1] - border]
