"""WDSR networks of many sizes that share the weights of one: each has leading parts of its.

    body.3.widen.weight [64, 24, 1, 1]   -->   body.3.widen.weight[:32, :16]

So a candidate of a search starts as well trained as the shared weights are in its sizes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from wdsr import WDSR, WideBlock

from niwaki.pruning import LayerRule, PruningConfig
from niwaki.studies import Choice, Integer, Point

SCALE, MOST_BLOCKS = 2, 8
WIDTHS, WIDE, NARROW = (8, 16, 24), (16, 32, 48, 64), (8, 16, 24)
# And the layers of a block that are pruned so: patterns are for its 3x3 convolution alone.
SCHEMES = {"dense": (), "block_punched": ("*",), "unstructured": ("*",), "pattern": ("conv",)}
RATES = (2.25, 3.0, 4.0, 6.0)
NOMINAL = RATES[1]  # of pruned blocks, until rates are searched


@dataclass(frozen=True)
class Block:
    """Channels between the layers of a block, and how it is pruned."""

    wide: int
    narrow: int
    scheme: str = "dense"
    rate: float = 1.0

    def __str__(self) -> str:
        pruned = "" if self.scheme == "dense" else f" {self.scheme} {self.rate:g}x"
        return f"{self.wide}-{self.narrow}{pruned}"


@dataclass(frozen=True)
class Sizes:
    """Of a network: channels between blocks, and the blocks."""

    width: int
    blocks: tuple[Block, ...]

    def __str__(self) -> str:
        return f"{self.width} channels, blocks {', '.join(map(str, self.blocks))}"

    def build(self) -> WDSR:
        network = WDSR(SCALE, 0, self.width)
        for block in self.blocks:
            network.body.append(WideBlock(self.width, block.wide, block.narrow))
        return network

    def pruning(self) -> PruningConfig:
        """Of the blocks that are not dense."""
        rules = [
            LayerRule(
                [f"body.{n}.{name}" for name in SCHEMES[block.scheme]], block.scheme, block.rate
            )
            for n, block in enumerate(self.blocks)
            if block.scheme != "dense"
        ]
        return PruningConfig("unstructured", 1, rules, include=() if rules else ("*",))


LARGE = Sizes(WIDTHS[-1], (Block(WIDE[-1], NARROW[-1]),) * MOST_BLOCKS)


def space() -> dict[str, Integer | Choice]:
    """What is searched first: channels, how many blocks there are, and what each is."""
    found: dict[str, Integer | Choice] = {
        "width": Integer(WIDTHS[0], WIDTHS[-1], WIDTHS[0]),
        "blocks": Integer(1, MOST_BLOCKS),
    }
    for n in range(1, MOST_BLOCKS + 1):
        found[f"wide{n}"] = Integer(WIDE[0], WIDE[-1], WIDE[0])
        found[f"narrow{n}"] = Integer(NARROW[0], NARROW[-1], NARROW[0])
        found[f"scheme{n}"] = Choice(*SCHEMES)
    return found


def sizes_of(point: Point) -> Sizes:
    """Those that a point names; it leaves aside what it says of blocks that there are none."""

    def number(name: str) -> int:
        return int(point[name] or 0)

    return Sizes(
        number("width"),
        tuple(
            Block(
                number(f"wide{n}"),
                number(f"narrow{n}"),
                scheme := str(point[f"scheme{n}"]),
                1.0 if scheme == "dense" else NOMINAL,
            )
            for n in range(1, number("blocks") + 1)
        ),
    )


def rates_space(sizes: Sizes) -> dict[str, Choice]:
    """What is searched then: the rate of each block that is pruned."""
    pruned = [n for n, block in enumerate(sizes.blocks, 1) if block.scheme != "dense"]
    return {f"rate{n}": Choice(*RATES) for n in pruned}


def with_rates(sizes: Sizes, point: Point) -> Sizes:
    """The same with the rates of a point."""
    blocks = (
        replace(block, rate=float(point.get(f"rate{n}", block.rate) or 1))
        for n, block in enumerate(sizes.blocks, 1)
    )
    return replace(sizes, blocks=tuple(blocks))


def drawn(generator: random.Random) -> Sizes:
    """A random dense one."""
    blocks = [
        Block(generator.choice(WIDE), generator.choice(NARROW))
        for _ in range(generator.randint(1, MOST_BLOCKS))
    ]
    return Sizes(generator.choice(WIDTHS), tuple(blocks))
