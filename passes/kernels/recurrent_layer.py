"""A recurrent layer as its kernel sees it: sizes, and where its steps read and write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.dialects import Recurrence, RecurrenceTile

from .indices import Index


@dataclass(frozen=True, kw_only=True)
class RecurrentLayer:
    """A recurrent layer as its kernel sees it.

    Attributes:
        sizes: steps, sequences, units, gates, states.
        tile: units of a full block, sequences that share a weight vector, bands of the columns.
        reverse: whether the last step comes first.
        has_lengths: whether sequences may be shorter than there are steps.
        lanes: numbers of a vector.
        most_sums: vectors of sums of all parts; the others would leave registers.
    """

    sizes: Recurrence
    tile: RecurrenceTile
    reverse: bool
    has_lengths: bool
    lanes: int
    most_sums: int

    @property
    def is_single(self) -> bool:
        """Whether there is one step, whose blocks do not wait for one another."""
        return self.sizes.steps == 1 and not self.sizes.late

    @property
    def places(self) -> int:
        """Vectors of units for each sequence: states, where the first one takes its turns, what
        late gates multiply, and sums of the other gates."""
        sizes = self.sizes
        if self.is_single:
            return sizes.states
        return sizes.states + 1 + (1 + sizes.gates - sizes.late if sizes.late else 0)


@dataclass(frozen=True)
class Step:
    """Where one step reads and writes.

    Attributes:
        time: of its input and result.
        old, new: for each state the buffer and the number of the place before and after the step.
    """

    time: Index
    old: Sequence[tuple[ir.Value, Index]]
    new: Sequence[tuple[ir.Value, Index]]


@dataclass(frozen=True)
class Part:
    """A block of units of a few sequences.

    Attributes:
        block: its number.
        height: its units.
        sequences: numbers of the sequences.
    """

    block: Index
    height: int
    sequences: Sequence[Index]
