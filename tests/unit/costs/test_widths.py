"""What is told to be left of layers is what trimming leaves when the network is compiled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from small_networks import ResNet
from torch import nn

from niwaki.costs.subject import opened
from niwaki.costs.widths import Widths
from niwaki.layer_costs import Setting

TRIMMED = re.compile(r"(\d+) -> (\d+) (filters|channels|inputs)")


class Wide(nn.Module):
    """Sums, a concatenation, a depthwise convolution and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 24, 3, padding=1)
        self.a = nn.Conv2d(24, 24, 3, padding=1)
        self.b = nn.Conv2d(24, 16, 1)
        self.join = nn.Conv2d(40, 32, 1)
        self.depthwise = nn.Conv2d(32, 32, 3, padding=1, groups=32)
        self.head = nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.stem(x).relu()
        y = (y + self.a(y)).relu()
        y = self.join(torch.cat([y, self.b(y).relu()], 1)).relu()
        return self.head(self.depthwise(y).relu().mean((2, 3)))


def trimmed(
    model: nn.Module, settings: Mapping[str, Setting], path: Path
) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
    """Filters and channels of layers that lose some: as told, and as compiled."""
    with opened(model, torch.zeros(1, 3, 16, 16)) as subject:
        left = Widths(subject.imported.module.operation).of(settings)
        forms = {name: op.weight.type.shape for name, (op, *_) in subject.ops.items()}
        told = {
            name: (round(one.filters * forms[name][0]), round(one.channels * forms[name][1]))
            for name, one in left.items()
        }
        bundle = subject.compiled(settings, path / "net.niwaki")
    compiled = {}
    for remark in bundle.manifest.remarks:
        if found := {kind: int(kept) for _, kept, kind in TRIMMED.findall(remark.reason)}:
            filters, channels = forms[remark.layer][:2]
            read = found.get("channels", found.get("inputs", channels))
            compiled[remark.layer] = found.get("filters", filters), min(read, channels)
    return told, compiled


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"a": Setting("block_punched", 4)},
        {"b": Setting(filters=9)},
        {"a": Setting(filters=20), "stem": Setting(filters=20)},
        {"join": Setting("filter", 2)},
        {"join": Setting("block_punched", 16), "head": Setting("unstructured", 20)},
        {"depthwise": Setting(filters=17), "b": Setting("column", 8)},
        {"a": Setting("column", 12), "join": Setting(filters=11, channels=30)},
    ],
    ids=str,
)
def test_trimming_leaves_what_was_told(settings: dict[str, Setting], tmp_path: Path) -> None:
    torch.manual_seed(0)
    told, compiled = trimmed(Wide().eval(), settings, tmp_path)
    assert told == compiled
    assert bool(told) == any(setting.scheme != "block_punched" or setting.rate > 8
                             for setting in settings.values())  # fmt: skip


@pytest.mark.parametrize("rate", [2, 6])
def test_residual_networks_keep_what_is_added(rate: float, tmp_path: Path) -> None:
    names = [name for name, part in ResNet().named_modules() if isinstance(part, nn.Conv2d)]
    told, compiled = trimmed(
        ResNet().eval(), dict.fromkeys(names, Setting("filter", rate)), tmp_path
    )
    assert told == compiled
    assert told


def test_weights_of_one_name_may_be_several_layers(tmp_path: Path) -> None:
    """Attention's: queries, keys and values, and what is made of the heads."""
    torch.manual_seed(0)
    model = nn.TransformerEncoderLayer(32, 4, 48, batch_first=True).eval()
    with opened(model, torch.zeros(1, 9, 32)) as subject:
        assert max(len(ops) for ops in subject.ops.values()) > 1
        widths = Widths(subject.imported.module.operation)
        names = dict.fromkeys(subject.ops, Setting("block_punched", 2))
        assert widths.of(names) == {}
        narrow = widths.of({"linear1": Setting(filters=30)})
        assert {name: (one.filters, one.channels) for name, one in narrow.items()} == {
            "linear1": (30 / 48, 1.0), "linear2": (1.0, 30 / 48),
        }  # fmt: skip
        bundle = subject.compiled({"linear1": Setting(filters=30)}, tmp_path / "net.niwaki")
    told = [remark for remark in bundle.manifest.remarks if TRIMMED.search(remark.reason)]
    assert {remark.layer for remark in told} == {"linear1", "linear2"}
