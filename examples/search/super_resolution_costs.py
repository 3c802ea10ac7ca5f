"""What a WDSR of any sizes takes to make 1280x720 of 640x360 on this machine, layer by layer.

    networks with layers of all sizes, priced   -->   24 filters of 16 channels, 3x3: 9.1 ms
                                                      block_punched 3x: 5.2 ms

A layer's time does not depend on its neighbours, so a network's is the sum of its layers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import torch
from search.super_resolution_networks import (
    RATES,
    SCALE,
    SCHEMES,
    WIDE,
    WIDTHS,
    Block,
    Sizes,
)

from niwaki.atomic import atomic_file
from niwaki.costs.price import priced
from niwaki.layer_costs import DENSE, LayerCosts, Setting

SMALL_IMAGE = (1, 3, 360, 640)


@dataclass(frozen=True)
class NetworkCosts:
    """Milliseconds.

    Attributes:
        layers: by sizes and setting, as text, which JSON needs.
        rest: of what is no layer.
    """

    layers: dict[str, float]
    rest: float

    def parts(self, sizes: Sizes) -> dict[str, float]:
        """Of each block, and of what is none."""
        width = sizes.width
        ends = [(width, 3, 9), (3 * SCALE**2, width, 9), (3 * SCALE**2, 3, 25)]
        found = {"ends": self.rest + sum(self.layers[key(*form)] for form in ends)}
        for n, block in enumerate(sizes.blocks, 1):
            found[f"block{n}"] = sum(self.layers[one] for one in _keys(width, block))
        return found


def key(filters: int, channels: int, taps: int, scheme: str = DENSE, rate: float = 1.0) -> str:
    """A layer and its setting."""
    return f"{filters}x{channels}x{taps} {Setting(scheme, rate)}"


def _keys(width: int, block: Block) -> Iterator[str]:
    """Of the layers of a block."""
    for filters, channels in ((block.wide, width), (width, block.wide)):
        yield key(filters, channels, 9, block.scheme, block.rate)


def network_costs(file: Path) -> NetworkCosts:
    """From the file; measured and kept there if it is missing."""
    if not file.exists():
        with atomic_file(file) as kept:
            kept.write(json.dumps(vars(measured()), indent=1).encode())
    return NetworkCosts(**json.loads(file.read_text()))


def measured() -> NetworkCosts:
    """By the library's costs of layers, corrected by what networks take on this machine."""
    schemes = [scheme for scheme in SCHEMES if scheme != DENSE]
    layers: dict[str, float] = {}
    rests = []
    for sizes in all_sizes():
        network = sizes.build().eval()
        with priced(network, torch.rand(SMALL_IMAGE), schemes=schemes) as costs:
            layers |= _milliseconds(costs)
            in_layers = sum(costs.seconds(name, Setting()) for name in costs.layers)
            rests.append(1e3 * (costs.network({}) - in_layers))
    return NetworkCosts(layers, mean(rests))


def all_sizes() -> list[Sizes]:
    """A network for each width; each pair of sizes that a layer can have is in one of them."""
    return [Sizes(width, tuple(map(Block, WIDE))) for width in WIDTHS]


def _milliseconds(costs: LayerCosts) -> dict[str, float]:
    """Of all layers in all settings that are possible."""
    settings = [Setting()]
    settings += [Setting(scheme, rate) for scheme in SCHEMES if scheme != DENSE for rate in RATES]
    found = {}
    for name, form in costs.layers.items():
        sizes = form.filters, form.channels, form.taps
        for one in settings:
            seconds = costs.seconds(name, one)
            if math.isfinite(seconds):
                found[key(*sizes, one.scheme, one.rate)] = 1e3 * seconds
    return found
