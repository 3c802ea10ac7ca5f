"""Images made smaller as those that super-resolution is tested on: MATLAB's `imresize`, "bicubic".

    720 rows, by 2   -->   360 rows, each a sum of 8 around it: a cubic of twice the width

So details that the small image cannot hold become grey; a cubic of 4 rows would leave stripes.
Beyond an edge its last row goes on, which makes the published small images of Set5 and Set14 to the
bit. (MATLAB itself mirrors there.)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
SUPPORT = 4  # rows that a cubic reaches over


def smaller(image: Bytes, scale: int) -> Bytes:
    """An image ``[height, width, channels]`` with 1 / scale of its rows and columns."""
    columns = along_rows(image, scale).transpose(1, 0, 2)
    return np.ascontiguousarray(along_rows(columns, scale).transpose(1, 0, 2))


def along_rows(image: Bytes, scale: int) -> Bytes:
    """One in so many rows; MATLAB rounds to whole numbers after each direction."""
    count = -(-len(image) // scale)
    centres = (np.arange(count)[:, None] + 0.5) * scale - 0.5
    rows = np.floor(centres - SUPPORT * scale / 2).astype(int) + np.arange(SUPPORT * scale + 2)
    weights = cubic((centres - rows) / scale)
    weights /= weights.sum(axis=1, keepdims=True)
    found = np.einsum("nk,nk...->n...", weights, image[rows.clip(0, len(image) - 1)])
    return np.clip(np.floor(found + 0.5), 0, 255).astype(np.uint8)


def cubic(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Keys' cubic convolution (1981), which is 0 beyond 2."""
    x = np.abs(x)
    near, far = (1.5 * x - 2.5) * x**2 + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0))
