"""Remove filters and channels that the network does not need.

    %a = "sparse_pattern.conv"(%x, %w) : tensor<64x3x3x3xf32>    24 filters are zero
    %b = "sparse_pattern.conv"(%a, %v) : tensor<64x64x3x3xf32>
      -->
    %a = "sparse_pattern.conv"(%x, %w) : tensor<40x3x3x3xf32>
    %b = "sparse_pattern.conv"(%a, %v) : tensor<64x40x3x3xf32>

A channel goes if nothing reads it, or if it is a constant that its readers take into their biases;
`niwaki.passes.channels` finds out, in four steps: which dimension of each tensor has channels
(backwards), which channels are constant (forwards), which are needed (both ways, through sums,
concatenations and reshapes, until nothing changes), and then the network is made smaller. Pruning
of whole filters leaves such channels: Li et al., "Pruning Filters for Efficient ConvNets" (2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from niwaki.dialects import AttentionOp, LinearOp, RecurrentOp
from niwaki.errors import NiwakiError

from .base import ModulePass, Session, erase_unused
from .channels.attention import (
    HeadsStep,
    heads_constants,
    heads_trimmed,
    whole_heads_constants,
)
from .channels.blocks import BLOCKS
from .channels.collect import collect
from .channels.elementwise import elementwise_constants, fill_constants
from .channels.facts import Facts, Step
from .channels.layers import is_layer, layer_constants, zero_filters
from .channels.moves import move_constants
from .channels.needs import EQUAL_GROUPS, NOT_EMPTY, find_needs
from .channels.recurrent import UnitsStep, unit_constants
from .channels.shrink import shrink


@dataclass(frozen=True)
class TrimChannelsPass(ModulePass):
    """Fewer filters and channels, the same results.

    Weights of at most `threshold` count as zero and become it.
    """

    name: ClassVar[str] = "sparse-pattern-trim-channels"
    threshold: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < np.inf:
            raise NiwakiError(f"pass '{self.name}' needs a threshold >= 0, got {self.threshold}")

    def run(self, module: Any, session: Session) -> None:
        for function in module.regions[0].blocks[0].operations:
            if function.operation.name != "func.func" or len(function.regions[0].blocks) != 1:
                continue  # with several blocks, a tensor may be read before the place it is made at
            self._trim(list(function.regions[0].blocks[0].operations), session)
        erase_unused(module)

    def _trim(self, ops: Sequence[Any], session: Session) -> None:
        facts = Facts()
        steps = collect(ops, facts, self.threshold, (AttentionOp, RecurrentOp))
        for step in steps:
            facts.known[step.result] = constants(step, facts)
        find_needs(steps, facts)
        for step in steps:
            if isinstance(step, HeadsStep) and (reason := heads_trimmed(step, facts)):
                self.remark(session, step.attention, reason)
            if step.weights is not None or isinstance(step, UnitsStep):
                for reason in (*trimmed(step, facts), *left(step, facts)):
                    self.remark(session, step.op, reason)
        shrink(steps, facts)


def constants(step: Step, facts: Facts) -> Any:
    """Constant slices of a step's result."""
    if isinstance(step, HeadsStep):
        return heads_constants(step, facts)
    if isinstance(step, UnitsStep):
        return unit_constants(step, facts)
    if isinstance(step.op, AttentionOp):
        return whole_heads_constants(step, facts)
    if is_layer(step.op):
        return layer_constants(step, facts)
    if step.op.operation.name == "linalg.generic":
        return elementwise_constants(step, facts)
    if step.op.operation.name == "linalg.fill":
        return fill_constants(step)
    return move_constants(step, facts)


def trimmed(step: Step, facts: Facts) -> list[str]:
    """How much smaller a layer becomes, empty if it stays as it is."""
    counts = {noun(step): kept_and_all(step.result, facts)}
    if step.weights is not None and step.op.input in facts.needed:
        word = "inputs" if isinstance(step.op, LinearOp) else "channels"
        counts[word] = kept_and_all(step.op.input, facts)
    parts = [f"{all_} -> {kept} {word}" for word, (kept, all_) in counts.items() if kept < all_]
    return [f"trimmed: {', '.join(parts)}"] if parts else []


def noun(step: Step) -> str:
    """What a layer has in its result."""
    return "units" if isinstance(step, UnitsStep) else "filters"


def kept_and_all(value: Any, facts: Facts) -> tuple[int, int]:
    """How many channels of a tensor stay, and how many there are."""
    kept = facts.kept(value)
    return int(kept.sum()), kept.size


def left(step: Step, facts: Facts) -> list[str]:
    """Why filters or units stay that are zero, or that nothing reads."""
    needed = facts.needed[step.result]
    if step.weights is not None:
        zero = zero_filters(step.weights)
    else:
        zero = facts.known_of(step.result, step.axis).is_zero
    told = []
    for number, reason in enumerate(facts.reasons):
        unread = reason in (BLOCKS, EQUAL_GROUPS, NOT_EMPTY)
        count = int(((needed == number) & (zero | unread)).sum())
        if number and count:
            what = "that nothing reads" if unread else "that are zero"
            told.append(f"keeps {count} of {needed.size} {noun(step)} {what}: {reason}")
    return told
