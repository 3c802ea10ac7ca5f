"""Beam search: the likeliest sequences of tokens that a decoder writes, one token a step.

Knows no networks: what goes on from a state is a function, and a state is whatever can be copied.
A beam of one is greedy search.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np


class _Copyable(Protocol):
    def copy(self: S) -> S: ...


S = TypeVar("S", bound=_Copyable)

# A token and the state before it --> logarithms of what comes next [tokens]. Advances the state.
Advance = Callable[[int, S], np.ndarray]


@dataclass(frozen=True)
class Hypothesis(Generic[S]):
    """A sequence that is searched.

    Attributes:
        tokens: without the marks of begin and end.
        log_probability: of all tokens, and of the end if it has come.
        state: of the decoder before the last token; None where the sequence has ended.
    """

    tokens: tuple[int, ...]
    log_probability: float
    state: S | None

    @property
    def ended(self) -> bool:
        """Whether the decoder has written the end."""
        return self.state is None

    def score(self, power: float) -> float:
        """The logarithm, divided by a power of the number of tokens, the end among them."""
        written = len(self.tokens) + self.ended
        return self.log_probability / max(1, written) ** power


@dataclass(frozen=True)
class Search(Generic[S]):
    """How to search.

    Attributes:
        advance: runs the decoder.
        start: the token before the first one.
        end: the token that ends a sequence.
        beams: how many sequences are followed at once.
        power: 0 compares probabilities, which favours short sequences; 1 their mean per token.
    """

    advance: Advance[S]
    start: int
    end: int
    beams: int
    power: float

    def run(self, state: S, limit: int) -> list[Hypothesis[S]]:
        """The best sequences of at most `limit` tokens: those that ended first, the best in front.

        Of equals the one whose earlier part was better is in front, then that of the lower token.
        """
        beam = [Hypothesis((), 0.0, state)]
        for _ in range(limit):
            beam = self._best([longer for one in beam for longer in self._extended(one)])
            if all(one.ended for one in beam):
                return beam
        beam = [self._ended_here(one) for one in beam]
        return sorted(self._best(beam), key=lambda one: not one.ended)

    def _extended(self, one: Hypothesis[S]) -> list[Hypothesis[S]]:
        """The best that it can become; of an ended one, itself."""
        if one.state is None:
            return [one]
        gains = self._next(one)
        # No more than these can be among the best of all.
        tokens = np.argsort(-gains, kind="stable")[: self.beams]
        possible = [token for token in tokens if gains[token] > -np.inf]
        return [
            Hypothesis(
                one.tokens if token == self.end else (*one.tokens, int(token)),
                one.log_probability + float(gains[token]),
                None if token == self.end else one.state,
            )
            for token in possible
        ]

    def _best(self, hypotheses: list[Hypothesis[S]]) -> list[Hypothesis[S]]:
        best = sorted(hypotheses, key=lambda one: -one.score(self.power))[: self.beams]
        taken: set[int] = set()
        return [self._with_own_state(one, taken) for one in best]

    def _with_own_state(self, one: Hypothesis[S], taken: set[int]) -> Hypothesis[S]:
        """The first that goes on from a state takes it, others get copies."""
        if one.state is None:
            return one
        if id(one.state) in taken:
            return Hypothesis(one.tokens, one.log_probability, one.state.copy())
        taken.add(id(one.state))
        return one

    def _ended_here(self, one: Hypothesis[S]) -> Hypothesis[S]:
        """A sequence that can get no longer ends if that is what the decoder would write."""
        if one.state is None:
            return one
        gains = self._next(one)
        if np.argmax(gains) != self.end:
            return one
        return Hypothesis(one.tokens, one.log_probability + float(gains[self.end]), None)

    def _next(self, one: Hypothesis[S]) -> np.ndarray:
        assert one.state is not None
        return self.advance(one.tokens[-1] if one.tokens else self.start, one.state)
