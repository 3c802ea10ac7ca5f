"""What inference takes by counting: picojoules of multiply-adds and of bytes that move.

    multiply-adds   of weights that stay, on channels that stay: the product of both widths, and
                    one addition to a 32-bit accumulator
    weights         read once: those that stay at their width, and a bit for each unit of the scheme
                    that might have been removed, which tells where they are
    activations     what a layer reads, at its own width, and what it writes, at the width of its
                    widest reader

Energies of operations are Horowitz' for 45 nm at 0.9 V (ISSCC 2014,
https://doi.org/10.1109/ISSCC.2014.6757323, figure 1.1.9): an 8-bit product takes 0.2 pJ, a 32-bit
integer addition 0.1 pJ, a product of floats 3.7 pJ and their sum 0.9 pJ. An array multiplier has a
cell for each pair of bits, so that products scale with both widths: 32 bits would then take 3.2 pJ,
and the same table has 3.1. For 64 bits it has 100 pJ from an SRAM of 1 MB, where activations are,
and 1.3 nJ at least from DRAM, from which weights come once an inference. For networks whose weights
stay on the chip give ``EnergyModel(weight_byte=12.5)``.

Not counted: registers and buffers beside multipliers, control, leakage, ops between layers. Only
ratios mean something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from niwaki.arguments import check_number

from .settings import FLOAT_BITS, LayerSetting, Settings


@dataclass(frozen=True)
class LayerWork:
    """What a layer does for one example, pruned or dense.

    Attributes:
        name: of the layer.
        multiply_adds: whose weight and input are not removed.
        weights: that stay.
        index_bits: that tell which ones those are.
        read: elements of its input, without removed channels.
        written: elements of its result, without removed filters.
        readers: layers that read the result; empty where that is not known, as in the last.
    """

    name: str
    multiply_adds: float
    weights: float
    index_bits: float
    read: float
    written: float
    readers: tuple[str, ...] = ()


@dataclass(frozen=True)
class LayerEnergy:
    """Picojoules of a layer."""

    name: str
    multiply_adds: float
    weights: float
    activations: float

    @property
    def total(self) -> float:
        """Of all three."""
        return self.multiply_adds + self.weights + self.activations


@dataclass(frozen=True)
class EnergyModel:
    """Energies in picojoules.

    Attributes:
        product: of 8 x 8 bits.
        addition: to a 32-bit accumulator.
        float_multiply_add: of 32-bit floats, where weights or activations are not quantised.
        weight_byte: to read a byte of weights.
        activation_byte: to read or write a byte of activations.

    Raises:
        NiwakiError: a value is no number from 0 on.
    """

    product: float = 0.2
    addition: float = 0.1
    float_multiply_add: float = 3.7 + 0.9
    weight_byte: float = 1300 / 8
    activation_byte: float = 100 / 8

    def __post_init__(self) -> None:
        for item in fields(self):
            check_number(item.name, getattr(self, item.name), "picojoules, 0 or more", 0)

    def multiply_add(self, weight_bits: int, activation_bits: int) -> float:
        """Of one weight and one activation."""
        if FLOAT_BITS in (weight_bits, activation_bits):
            return self.float_multiply_add
        return self.product * weight_bits * activation_bits / 64 + self.addition

    def layers(self, works: Sequence[LayerWork], settings: Settings) -> list[LayerEnergy]:
        """Of each layer for one example."""
        return [self._layer(work, settings) for work in works]

    def total(self, works: Sequence[LayerWork], settings: Settings) -> float:
        """Of all layers for one example."""
        return sum(layer.total for layer in self.layers(works, settings))

    def _layer(self, work: LayerWork, settings: Settings) -> LayerEnergy:
        bits = settings[work.name]
        readers = [settings[name].activation_bits for name in work.readers]
        written_bits = max(readers, default=FLOAT_BITS)
        moved = work.read * bits.activation_bits + work.written * written_bits
        return LayerEnergy(
            work.name,
            work.multiply_adds * self.multiply_add(bits.weight_bits, bits.activation_bits),
            (work.weights * bits.weight_bits + work.index_bits) / 8 * self.weight_byte,
            moved / 8 * self.activation_byte,
        )


DENSE = LayerSetting()  # of 8 bits: what savings are counted against
