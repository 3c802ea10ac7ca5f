"""What an encoder of any sizes takes for a question on this machine, from a few that are measured.

    a network with layers of all sizes, compiled and run   -->   attention of 2 heads: 7 us
                                                                 linear layers of 192: 9 us

A layer's time does not depend on its neighbours, so an encoder's is the sum of its parts.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import torch
from search.text_networks import HEADS, WIDE, WIDTHS, Sizes

import niwaki
from niwaki.atomic import atomic_file
from niwaki.costs.observation import CALL, Observation, on_host
from niwaki.runtime.bundle import open_bundle

LENGTH = 16  # words of a question: 95 % have no more
LINEAR = ("before_words", "wide", "narrow")  # what of a layer is not its attention


@dataclass(frozen=True)
class EncoderCosts:
    """Milliseconds of parts, each by its sizes as text, which JSON needs.

    Attributes:
        ends: embeddings, classifier and the call itself, by the width.
        attention: by width and heads.
        linear: by width and numbers between the two layers.
    """

    ends: dict[str, float]
    attention: dict[str, float]
    linear: dict[str, float]

    def parts(self, sizes: Sizes) -> dict[str, float]:
        """Of each layer, and of what is none."""
        found = {"ends": self.ends[f"{sizes.width}"]}
        for n, (heads, wide) in enumerate(zip(sizes.heads, sizes.wide, strict=True), 1):
            attention = self.attention[f"{sizes.width}x{heads}"]
            found[f"layer{n}"] = attention + self.linear[f"{sizes.width}x{wide}"]
        return found


def encoder_costs(file: Path) -> EncoderCosts:
    """From the file; measured and kept there if it is missing."""
    if not file.exists():
        with atomic_file(file) as kept:
            kept.write(json.dumps(vars(measured()), indent=1).encode())
    return EncoderCosts(**json.loads(file.read_text()))


def measured(widths: Sequence[int] = WIDTHS, wide: Sequence[int] = WIDE) -> EncoderCosts:
    """By two networks for each width: one with layers of all sizes, and one of a single layer."""
    ends: dict[str, float] = {}
    attention, linear = (defaultdict[str, list[float]](list) for _ in range(2))
    count = max(len(HEADS), len(wide))
    all_heads = tuple(HEADS[n % len(HEADS)] for n in range(count))
    all_wide = tuple(wide[n % len(wide)] for n in range(count))
    for width in widths:
        every = observed(Sizes(width, all_heads, all_wide))
        one = observed(Sizes(width, all_heads[:1], all_wide[:1]))
        # The time between kernels grows with the layers, so that each has its share.
        between = (every.others[CALL] - one.others[CALL]) / (count - 1)
        ends[f"{width}"] = 1e3 * (_by_part(one)["ends"] + one.others[CALL] - between)
        parts = _by_part(every)
        for n in range(count):
            seconds = parts[f"attention{n}"] + between
            attention[f"{width}x{all_heads[n]}"].append(1e3 * seconds)
            linear[f"{width}x{all_wide[n]}"].append(1e3 * parts[f"linear{n}"])
    return EncoderCosts(
        ends, *({key: mean(part[key]) for key in part} for part in (attention, linear))
    )


def observed(sizes: Sizes) -> Observation:
    """A network of random weights, compiled and measured."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "encoder.niwaki"
        question = torch.randint(1, 100, (1, LENGTH))
        niwaki.compile(sizes.build().eval(), question, output=bundle)
        return on_host(open_bundle(bundle))


def _by_part(seen: Observation) -> dict[str, float]:
    """Seconds of each layer's attention, of its linear layers, and of all else but the call."""
    found = defaultdict[str, float](float)
    times = [(name, took.seconds) for name, took in seen.layers.items()]
    for name, seconds in [*times, *seen.others.items()]:
        if name.startswith("layers."):
            _, number, part = name.split(".")
            found[f"linear{number}" if part in LINEAR else f"attention{number}"] += seconds
        elif name != CALL:
            found["ends"] += seconds
    return found
