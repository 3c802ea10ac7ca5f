"""Large windows and strides: right, and code that does not grow with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import niwaki

# A vector's worth of taps written out, and IREE's own 12 kB: with every tap written out the
# smallest of these have 30 kB.
MOST_BYTES = 25_000

LAYERS = {
    "31x31": (nn.Conv2d(6, 6, 31, padding=15, groups=6), (1, 6, 40, 37)),
    "11x11x11": (nn.Conv3d(3, 3, 11, padding=5, groups=3), (1, 3, 13, 14, 15)),
    "13x17, dilated": (
        nn.Conv2d(4, 4, (13, 17), padding=(3, 20), dilation=(2, 3), groups=4),
        (1, 4, 61, 73),
    ),
    "a prime number of taps": (nn.Conv1d(4, 4, 401, padding=200, groups=4), (2, 4, 900)),
    "two to a step": (nn.Conv1d(4, 4, 401, stride=2, padding=3, groups=4), (1, 4, 4000)),
    "many to a step": (nn.Conv1d(4, 4, 400, stride=160, groups=4), (2, 4, 4000)),
    "9x9/3": (nn.Conv2d(4, 4, 9, stride=3, padding=4, groups=4), (1, 4, 61, 73)),
    "5x5x5/2": (nn.Conv3d(4, 4, 5, stride=2, padding=2, groups=4), (1, 4, 11, 21, 33)),
    "long rows": (nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=4), (1, 4, 20, 700)),
    "many phases": (nn.Conv1d(1, 8, 400, stride=160), (1, 1, 4000)),
    "many phases, some shorter": (nn.Conv1d(2, 8, 50, stride=40, padding=7), (2, 2, 511)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_large_windows(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    layer, shape = LAYERS[name]
    x = torch.randn(shape)
    bundle = niwaki.compile(layer.eval(), x, output=tmp_path / "net.niwaki")
    assert all(record.kernel for record in bundle.layers)
    with torch.no_grad():
        expected = layer(x).numpy()
    result = bundle.load()(x.numpy())
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    assert len(bundle.module) < MOST_BYTES
