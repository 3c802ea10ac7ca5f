"""How often each basic block ran, as the plugin writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from niwaki.errors import NiwakiError

INSTRUCTION = 4  # bytes


@dataclass(frozen=True)
class Block:
    """A basic block: where it lay, and its instructions."""

    address: int
    code: bytes

    @property
    def size(self) -> int:
        """How many instructions it has."""
        return len(self.code) // INSTRUCTION


# How often each block ran.
Counts = Mapping[Block, int]


def parse_counts(text: str) -> Counts:
    """The counts in what the plugin wrote.

    Raises:
        NiwakiError: the plugin did not come to its end.
    """
    *lines, last = text.splitlines() or [""]
    if last != "end":
        raise NiwakiError("the emulated program ended before it was counted")
    counts: dict[Block, int] = {}
    for line in lines:
        runs, address, *words = line.split()
        code = b"".join(int(word, 16).to_bytes(INSTRUCTION, "little") for word in words)
        block = Block(int(address, 16), code)  # may be there: QEMU translates some twice
        counts[block] = counts.get(block, 0) + int(runs)
    return counts


def executed(counts: Counts) -> int:
    """Instructions that ran."""
    return sum(runs * block.size for block, runs in counts.items())
