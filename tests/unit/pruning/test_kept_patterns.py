"""Which patterns kernels keep, and pictures of masks."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from unit.pruning.tiny_task import network

import niwaki
from niwaki.errors import NiwakiError
from niwaki.pruning import PruningConfig
from niwaki.pruning.analysis import KeptPattern, kept_patterns, mask_picture
from niwaki.pruning.analysis.kept import pattern_image


def with_mask(layer: nn.Module, kept: Tensor) -> nn.Sequential:
    weight = layer.get_parameter("weight")
    weight.data = torch.where(kept, weight.data.sign() + 2, torch.zeros_like(weight.data))
    return nn.Sequential(layer)


def test_patterns_are_counted() -> None:
    kept = torch.zeros(2, 3, 3, 3, dtype=torch.bool)
    kept[0, 0, :2, :2] = kept[1, 2, :2, :2] = kept[1, 0, :2, :2] = True
    kept[0, 1, 1] = True
    assert kept_patterns(with_mask(nn.Conv2d(3, 2, 3), kept)) == [
        KeptPattern("0", "3x3", "0-1-3-4", 3, 0.5),
        KeptPattern("0", "3x3", "", 2, 2 / 6),
        KeptPattern("0", "3x3", "3-4-5", 1, 1 / 6),
    ]


def test_counts_are_those_of_pruning() -> None:
    pruned = niwaki.prune(network(), scheme="pattern(patterns=4)", rate=4.5, method="magnitude")
    rows = kept_patterns(pruned)
    assert list(dict.fromkeys(row.layer for row in rows)) == ["2", "6"]
    for name, kernels in (("2", 8 * 16), ("6", 16 * 16)):
        of_layer = [row for row in rows if row.layer == name]
        assert sum(row.kernels for row in of_layer) == kernels
        assert sum(row.share for row in of_layer) == pytest.approx(1)
        assert next(row.kernels for row in of_layer if not row.pattern) == kernels // 2
        assert {row.pattern.count("-") for row in of_layer if row.pattern} == {3}
        assert len(of_layer) <= 5
        counts = [row.kernels for row in of_layer]
        assert counts == sorted(counts, reverse=True)
    assert kept_patterns(pruned, ["6"]) == [row for row in rows if row.layer == "6"]


@pytest.mark.parametrize(
    ("kernel", "pattern", "rows"),
    [
        ("3x3", "0-4-5", ["#..", ".##", "..."]),
        ("3x3", "", ["...", "...", "..."]),
        ("2x3", "0-5", ["#..", "..#"]),
        ("4", "1-3", [".#.#"]),
        ("2x2x2", "0-3-5", ["#..#", ".#.."]),
    ],
)
def test_picture_of_a_pattern(kernel: str, pattern: str, rows: list[str]) -> None:
    image = pattern_image(KeptPattern("layer", kernel, pattern, 1, 1.0))
    assert ["".join(".#"[int(tap)] for tap in row) for row in image] == rows


def test_mask_of_blocks() -> None:
    config = PruningConfig("block_punched(filters=8, channels=4)", 4, include=["6"])
    pruned = niwaki.prune(network(), config=config, method="magnitude")
    picture = mask_picture(pruned, "6", filters=16, channels=8)
    weight = pruned.get_parameter("6.weight").detach()
    assert (picture.kept.shape, picture.kernel, picture.block) == ((48, 24), (3, 3), 8)
    for filter_, channel in ((0, 0), (5, 7), (15, 3)):
        corner = picture.kept[3 * filter_ : 3 * filter_ + 3, 3 * channel : 3 * channel + 3]
        np.testing.assert_array_equal(corner, weight[filter_, channel].numpy() != 0)
    assert picture.title == "6: block_punched(8x4), 25 % kept, channels 0 to 7 of 16"


def test_mask_of_linear_and_3d_layers() -> None:
    torch.manual_seed(0)
    kept = torch.rand(6, 10) < 0.3
    share = 100 * float(kept.float().mean())
    linear = mask_picture(with_mask(nn.Linear(10, 6), kept), "0")
    np.testing.assert_array_equal(linear.kept, kept.numpy())
    assert (linear.kernel, linear.title) == ((1, 1), f"0: unstructured, {share:.3g} % kept")
    kept = torch.rand(4, 2, 3, 2, 5) < 0.3
    video = mask_picture(with_mask(nn.Conv3d(2, 4, (3, 2, 5)), kept), "0", filters=3)
    assert (video.kept.shape, video.kernel) == ((3 * 2, 2 * 3 * 5), (2, 15))
    np.testing.assert_array_equal(video.kept[2:4, 20:25], kept[1, 1, 1].numpy())
    assert video.title.endswith("filters 0 to 2 of 4")


def test_groups_have_blocks_of_their_own() -> None:
    kept = (torch.arange(8) % 2 == 0)[None, :, None, None].expand(4, 8, 1, 1)
    layer = nn.Conv2d(16, 4, 1, groups=2)
    picture = mask_picture(with_mask(layer, kept), "0")
    assert picture.block == 2, "filters of a group"


def test_wrong_use() -> None:
    with pytest.raises(NiwakiError, match=r"^no layer with kernels of several taps has lost weig"):
        kept_patterns(network())
    with pytest.raises(NiwakiError, match=r"^'x\*' matches no layer: there are 0, 2, 6, 10$"):
        kept_patterns(network(), ["x*"])
    with pytest.raises(NiwakiError, match=r"^'7' matches no layer"):
        mask_picture(network(), "7")
    message = "a picture shows 1 filter and 1 channel or more, not 0 and 32"
    with pytest.raises(NiwakiError, match=f"^{re.escape(message)}$"):
        mask_picture(network(), "6", filters=0)
