"""What `niwaki.prune` leaves: the compiler finds the scheme, and computes what PyTorch does."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import niwaki
from niwaki.pruning import PruningConfig, add_branches, merge_branches


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


def test_searched_network_becomes_as_small_as_promised(tmp_path: Path) -> None:
    """Removed channels are gone for real: layers of the compiled network have fewer weights."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.MaxPool2d(2), nn.Conv2d(32, 24, 3), nn.ReLU(), nn.Flatten(), nn.Linear(24 * 4, 4),
    )  # fmt: skip
    x = torch.randn(1, 3, 8, 8)
    data = [(torch.randn(8, 3, 8, 8), torch.randint(4, (8,)))] * 4
    branched = add_branches(model, x)
    config = PruningConfig("filter", 3, include=["0.*", "3.*", "7.*"])
    pruned = niwaki.prune(branched, data, config=config, method="search", epochs=4, progress=False)
    small = merge_branches(pruned.eval())
    bundles = {}
    for name, net in (("dense", model.eval()), ("small", small)):
        path = tmp_path / f"{name}.niwaki"
        bundles[name] = niwaki.compile(net, x, output=path).manifest.layers
    dense, left = (sum(layer.weights * layer.positions for layer in b) for b in bundles.values())
    assert 3 <= dense / left < 3.6
    kept = [
        int(small.get_parameter(f"{n}.weight").flatten(1).any(1).sum()) for n in ("0", "3", "7")
    ]
    widths = [3, *kept, 4]
    taps = [9, 9, 9, 4]
    sizes = [a * b * t for a, b, t in zip(widths, widths[1:], taps, strict=False)]
    assert [layer.weights for layer in bundles["small"]] == sizes
    torch.testing.assert_close(
        torch.from_numpy(niwaki.load(tmp_path / "small.niwaki")(x.numpy())), small(x),
        rtol=1e-4, atol=1e-5,
    )  # fmt: skip
