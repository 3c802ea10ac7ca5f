"""What a network would take on memristor crossbars: an estimate of area and power, to compare.

    cells        V^2 * sum of the conductances of all cells that hold a weight
    converters   each crossbar has an analog-to-digital one, each of its word lines a
                 digital-to-analog one
    area         that of all crossbars with their converters, whether full or not

Assumptions. A weight is +-magnitude, as in `levels`: on the crossbar of its sign it takes a cell,
or a bundle of them, each of which conducts its digit's share of 1 / R_min. The cell of the other
sign, and those of removed weights, are cut off. All inputs are at the read voltage and all
crossbars work at once, so that powers are peaks. Buffers, routing, wires and digital logic are not
counted. Sizes and resistances are those of https://arxiv.org/abs/1908.11691. Converters and areas
are ISAAC's at 32 nm (https://doi.org/10.1109/ISCA.2016.12), where a crossbar of 128 x 128 has an
8-bit converter of 2 mW and 0.0012 mm^2, 1-bit ones of 4 mW / 1024 and 0.00017 mm^2 / 1024, and
0.000025 mm^2 of cells. Only ratios between networks mean something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from torch import nn

from niwaki.errors import NiwakiError

from .layers import Layer, find_layers
from .levels import Levels

Kept = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CrossbarHardware:
    """A crossbar with its converters.

    Attributes:
        filters: bit lines.
        columns: word lines, which carry inputs.
        r_min: ohms of a cell at its largest conductance; the largest resistance is what the
            smallest level makes of it.
        read_voltage: volts.
        adc_power, dac_power: watts of a converter.
        adc_area, dac_area, cell_area: mm^2.

    Raises:
        NiwakiError: a number is not above 0.
    """

    filters: int = 128
    columns: int = 64
    r_min: float = 1e6
    read_voltage: float = 0.2
    adc_power: float = 2e-3
    dac_power: float = 4e-3 / 1024
    adc_area: float = 1.2e-3
    dac_area: float = 1.7e-4 / 1024
    cell_area: float = 2.5e-5 / 128**2

    def __post_init__(self) -> None:
        for item in fields(self):
            if not getattr(self, item.name) > 0:
                raise NiwakiError(
                    f"{item.name} of a crossbar is above 0, not {getattr(self, item.name):g}"
                )

    @property
    def converter_power(self) -> float:
        """Watts of all converters."""
        return self.adc_power + self.columns * self.dac_power

    @property
    def area(self) -> float:
        """mm^2, with converters."""
        cells = self.filters * self.columns * self.cell_area
        return cells + self.adc_area + self.columns * self.dac_area


@dataclass(frozen=True)
class CrossbarCost:
    """What a layer takes.

    Attributes:
        crossbars: for both signs and all cells of a bundle.
        cells: that hold weights.
        cell_power, converter_power: watts.
        area: mm^2.
    """

    name: str
    crossbars: int
    cells: int
    cell_power: float
    converter_power: float
    area: float

    @property
    def power(self) -> float:
        """Watts of cells and converters."""
        return self.cell_power + self.converter_power


def crossbar_costs(
    model: nn.Module, levels: Levels | None = None, hardware: CrossbarHardware | None = None
) -> list[CrossbarCost]:
    """Of each layer, whose weights are rounded to the nearest levels unless they are on them.

    Args:
        levels: those of 5 bits if there are no others.
        hardware: of the paper's size and resistances if there is no other.

    Raises:
        NiwakiError: weights are not finite.
    """
    levels, hardware = levels or Levels(), hardware or CrossbarHardware()
    return [_cost(layer, levels, hardware) for layer in find_layers(model)]


def total_cost(costs: Sequence[CrossbarCost]) -> CrossbarCost:
    """Of all layers together."""
    sums = {
        item.name: sum(getattr(cost, item.name) for cost in costs)
        for item in fields(CrossbarCost)
        if item.name != "name"
    }
    return CrossbarCost("network", **sums)


def count_tiles(kept: Kept, filters: int, columns: int) -> int:
    """Crossbars that a matrix of kept weights ``[F, K]`` fills, for one sign and one cell.

    Each strip of filters takes the columns of which it keeps a weight, wherever they are. Filters
    that keep nothing are left out, if strips of the others need no more crossbars.
    """
    return min(_tiles(kept, filters, columns), _tiles(kept[kept.any(axis=1)], filters, columns))


def _tiles(kept: Kept, filters: int, columns: int) -> int:
    strips = (kept[first : first + filters] for first in range(0, len(kept), filters))
    return sum(-(-int(strip.any(axis=0).sum()) // columns) for strip in strips)


def _cost(layer: Layer, levels: Levels, hardware: CrossbarHardware) -> CrossbarCost:
    weight = layer.filters_first(layer.weight.detach())
    kept = weight != 0
    try:
        scale = levels.scale(weight, kept)
    except NiwakiError as error:
        raise NiwakiError(f"{layer.name}: {error}") from None
    magnitudes = levels.nearest(weight / scale)[kept].abs()
    shares = levels.cell_shares(magnitudes)
    matrices = np.split(kept.cpu().numpy().reshape(layer.shape[0], -1), layer.groups)
    tiles = sum(count_tiles(m, hardware.filters, hardware.columns) for m in matrices)
    crossbars = 2 * levels.cells * tiles
    return CrossbarCost(
        layer.name,
        crossbars,
        shares.numel(),
        float(shares.double().sum()) * hardware.read_voltage**2 / hardware.r_min,
        crossbars * hardware.converter_power,
        crossbars * hardware.area,
    )
