"""What `niwaki.prune` leaves: the compiler finds the scheme, and computes what PyTorch does."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import niwaki


@pytest.mark.parametrize(
    ("scheme", "found"), [("pattern", "pattern"), ("block_punched", "block_punched(8x1)")]
)
def test_pruned_network_compiles(tmp_path: Path, scheme: str, found: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),
        nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 4, 1),
    )  # fmt: skip
    pruned = niwaki.prune(model.eval(), scheme=scheme, rate=8, method="magnitude")
    x = torch.randn(1, 3, 14, 14)
    path = tmp_path / "net.niwaki"
    layers = niwaki.compile(pruned, x, output=path).manifest.layers
    assert [str(layer.scheme).startswith(found) for layer in layers] == [False, True, True, False]
    torch.testing.assert_close(
        torch.from_numpy(niwaki.load(path)(x.numpy())), pruned(x), rtol=1e-4, atol=1e-5
    )


def test_quantised_network_compiles(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * 36, 4),
    )  # fmt: skip
    data = [(torch.randn(4, 3, 6, 6), torch.randint(4, (4,)))] * 2
    pruned = niwaki.prune(
        model.eval(), data, scheme="crossbar(filters=16, columns=36)", rate=4,
        method="quantized(bits=3)", epochs=2, progress=False,
    )  # fmt: skip
    weight = pruned.get_parameter("2.weight")
    assert len(weight.unique()) <= 9
    x = torch.randn(1, 3, 6, 6)
    path = tmp_path / "net.niwaki"
    layers = niwaki.compile(pruned, x, output=path).manifest.layers
    assert str(layers[1].scheme).startswith("block_punched")
    torch.testing.assert_close(
        torch.from_numpy(niwaki.load(path)(x.numpy())), pruned(x), rtol=1e-4, atol=1e-5
    )
