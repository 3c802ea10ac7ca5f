"""What the plugin writes becomes blocks and how often they ran."""

from __future__ import annotations

import pytest

from niwaki.errors import NiwakiError
from niwaki.runtime.model_cycles.counts import Block, executed, joined, parse_counts

# fmla v0.4s, v1.4s, v2.4s; subs x19, x19, #1; b.ne
LOOP = "4e22cc20 f1000673 54ffffc1"


def test_a_block_is_its_address_and_its_code() -> None:
    counts = parse_counts(f"1000 5500 {LOOP}\n3 5510 f1000673\nend\n")
    loop, tail = counts
    assert (loop.address, loop.size, tail.size) == (0x5500, 3, 1)
    assert loop.code == bytes.fromhex("20cc224e 730600f1 c1ffff54")
    assert executed(counts) == 3003


def test_what_was_translated_twice_is_one_block() -> None:
    counts = parse_counts(f"2 5500 {LOOP}\n5 5500 {LOOP}\n7 6600 {LOOP}\nend\n")
    assert sorted(counts.values()) == [7, 7]
    assert counts[Block(0x5500, next(iter(counts)).code)] == 7


@pytest.mark.parametrize("text", ["", f"12 5500 {LOOP}\n", f"12 5500 {LOOP}\nen"])
def test_counts_that_were_cut_off_are_refused(text: str) -> None:
    with pytest.raises(NiwakiError, match="the emulated program ended before it was counted"):
        parse_counts(text)


def test_what_a_page_cuts_in_two_is_one_block() -> None:
    """A loop, and the block that runs into it from above; another block that ends there too."""
    loop, entry = Block(0x1FF8, b"loopbody"), Block(0x1FF4, b"intoloopbody")
    rest, other = Block(0x2000, b"jump"), Block(0x3000, b"else")
    counts = {loop: 90, entry: 10, rest: 100, Block(0x2FFC, b"last"): 5, other: 4}
    assert joined(counts) == {
        Block(0x1FF8, b"loopbodyjump"): 90,
        Block(0x1FF4, b"intoloopbodyjump"): 10,
        Block(0x2FFC, b"last"): 5,
        other: 4,
    }
    assert executed(joined(counts)) == executed(counts)
