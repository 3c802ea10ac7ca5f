"""WDSR networks of many sizes that share the weights of one: each has leading parts of its.

    body.3.widen.weight [64, 16, 3, 3]   -->   body.3.widen.weight[:32, :8]

So a candidate of a search starts as well trained as the shared weights are in its sizes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from torch import nn
from wdsr import WDSR, SpatialBlock, WideBlock

from niwaki.layer_costs import DENSE
from niwaki.pruning import LayerRule, PruningConfig
from niwaki.studies import Choice, Integer, Point

SCALE, MOST_BLOCKS = 2, 6
WIDTHS, WIDE = (8, 16), (16, 32, 48, 64)
SCHEMES = (DENSE, "block_punched", "unstructured", "pattern")
RATES = (4.0, 6.0, 8.0, 12.0)
NOMINAL = RATES[2]  # of pruned blocks, until rates are searched
# What is searched has blocks of WDSR-A, whose layers are 3x3; by hand there are both kinds.
SEARCHED = "A"
KINDS: dict[str, type[nn.Module]] = {"A": SpatialBlock, "B": WideBlock}


@dataclass(frozen=True)
class Block:
    """Channels between the layers of a block, and how it is pruned."""

    wide: int
    scheme: str = DENSE
    rate: float = 1.0

    def __str__(self) -> str:
        pruned = "" if self.scheme == DENSE else f" {self.scheme} {self.rate:g}x"
        return f"{self.wide}{pruned}"


@dataclass(frozen=True)
class Sizes:
    """Of a network: channels between blocks, the blocks, and their kind."""

    width: int
    blocks: tuple[Block, ...]
    kind: str = SEARCHED

    def __str__(self) -> str:
        return f"{self.width} channels, blocks {', '.join(map(str, self.blocks))}"

    def build(self) -> WDSR:
        network = WDSR(SCALE, 0, self.width)
        for block in self.blocks:
            network.body.append(KINDS[self.kind](self.width, block.wide))
        return network

    def pruning(self) -> PruningConfig:
        """Of the blocks that are not dense."""
        rules = [
            LayerRule([f"body.{n}.*"], block.scheme, block.rate)
            for n, block in enumerate(self.blocks)
            if block.scheme != DENSE
        ]
        return PruningConfig("unstructured", 1, rules, include=() if rules else ("*",))


LARGE = Sizes(WIDTHS[-1], (Block(WIDE[-1]),) * MOST_BLOCKS)


def space() -> dict[str, Integer | Choice]:
    """What is searched first: channels, how many blocks there are, and what each is."""
    found: dict[str, Integer | Choice] = {
        "width": Integer(WIDTHS[0], WIDTHS[-1], WIDTHS[0]),
        "blocks": Integer(1, MOST_BLOCKS),
    }
    for n in range(1, MOST_BLOCKS + 1):
        found[f"wide{n}"] = Integer(WIDE[0], WIDE[-1], WIDE[0])
        found[f"scheme{n}"] = Choice(*SCHEMES)
    return found


def sizes_of(point: Point) -> Sizes:
    """Those that a point names; it leaves aside what it says of blocks that there are none."""

    def number(name: str) -> int:
        return int(point[name] or 0)

    return Sizes(
        number("width"),
        tuple(
            as_pruned(number(f"wide{n}"), str(point[f"scheme{n}"]))
            for n in range(1, number("blocks") + 1)
        ),
    )


def as_pruned(wide: int, scheme: str) -> Block:
    """A block before rates are searched."""
    return Block(wide, scheme, 1.0 if scheme == DENSE else NOMINAL)


def rates_space(sizes: Sizes) -> dict[str, Choice]:
    """What is searched then: the rate of each block that is pruned."""
    pruned = [n for n, block in enumerate(sizes.blocks, 1) if block.scheme != DENSE]
    return {f"rate{n}": Choice(*RATES) for n in pruned}


def with_rates(sizes: Sizes, point: Point) -> Sizes:
    """The same with the rates of a point."""
    blocks = (
        replace(block, rate=float(point.get(f"rate{n}", block.rate) or 1))
        for n, block in enumerate(sizes.blocks, 1)
    )
    return replace(sizes, blocks=tuple(blocks))


def drawn(generator: random.Random) -> Sizes:
    """A random one."""
    blocks = [
        as_pruned(generator.choice(WIDE), generator.choice(SCHEMES))
        for _ in range(generator.randint(1, MOST_BLOCKS))
    ]
    return Sizes(generator.choice(WIDTHS), tuple(blocks))
