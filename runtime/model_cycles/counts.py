"""How often each basic block ran, as the plugin writes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from niwaki.errors import NiwakiError

INSTRUCTION = 4  # bytes
PAGE = 4096  # bytes: QEMU translates none across its end


@dataclass(frozen=True)
class Block:
    """A basic block: where it lay, and its instructions."""

    address: int
    code: bytes

    @property
    def end(self) -> int:
        """The address behind it."""
        return self.address + len(self.code)

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


def joined(counts: Counts) -> Counts:
    """Blocks as they would be if pages had no ends.

        8 x [load, fmla | page ends | add, branch]  -->  8 x [load, fmla, add, branch]

    A loop's body would else be two blocks, each taken for a loop of its own, whose instructions
    wait for themselves. What comes behind the end of a page belongs to the blocks before it if
    it ran as often as these together.
    """
    found = dict(counts)
    before: dict[int, list[Block]] = defaultdict(list)
    for block in counts:
        if block.end % PAGE == 0:
            before[block.end].append(block)
    for rest, runs in counts.items():
        heads = before[rest.address]
        if heads and sum(counts[head] for head in heads) == runs:
            del found[rest]
            for head in heads:
                found[Block(head.address, head.code + rest.code)] = found.pop(head)
    return found


def executed(counts: Counts) -> int:
    """Instructions that ran."""
    return sum(runs * block.size for block, runs in counts.items())
