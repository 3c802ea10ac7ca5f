"""Beam search over decoders that are tables: against all sequences there are, and a plain loop."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

from niwaki.runtime.beam_search import Hypothesis, Search

END, START, TOKENS = 2, 0, 4


@dataclass
class History:
    """A state that is nothing but the tokens so far."""

    tokens: tuple[int, ...] = ()

    def copy(self) -> History:
        return History(self.tokens)


class Table:
    """Probabilities of the next token, drawn anew for each sequence before it."""

    def __init__(self, seed: int, ending: float = 0.0) -> None:
        self._seed, self._ending = seed, ending

    def __call__(self, token: int, state: History) -> np.ndarray:
        state.tokens = (*state.tokens, token)
        return self.after(state.tokens)

    def after(self, tokens: tuple[int, ...]) -> np.ndarray:
        scores = np.random.default_rng([self._seed, *tokens]).standard_normal(TOKENS)
        scores[END] += self._ending
        return scores - np.log(np.exp(scores).sum())

    def log_probability(self, tokens: tuple[int, ...]) -> float:
        """Of tokens from the first one on."""
        return float(sum(self.after((START, *tokens[:n]))[one] for n, one in enumerate(tokens)))


def search(table: Table, limit: int, beams: int, power: float = 0.0) -> list[Hypothesis[History]]:
    return Search(table, START, END, beams, power).run(History(), limit)


def greedy(table: Table, limit: int) -> tuple[tuple[int, ...], bool]:
    written: tuple[int, ...] = ()
    while True:
        token = int(table.after((START, *written)).argmax())
        if token == END or len(written) == limit:
            return written, token == END
        written += (token,)


@pytest.mark.parametrize("limit", [0, 1, 5])
def test_one_beam_is_greedy(limit: int) -> None:
    endings = set()
    for seed in range(20):
        table = Table(seed)
        (found,) = search(table, limit, beams=1)
        assert (found.tokens, found.ended) == greedy(table, limit)
        endings.add(found.ended)
    assert endings == {False, True}


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_enough_beams_find_the_best(power: float) -> None:
    others = [token for token in range(TOKENS) if token != END]
    sequences = [
        (*tokens, END) for length in range(4) for tokens in itertools.product(others, repeat=length)
    ]
    for seed in range(10):
        table = Table(seed, ending=2.0)
        scores = {
            tokens: table.log_probability(tokens) / len(tokens) ** power for tokens in sequences
        }
        # What ends at the limit does so only where the end is the likeliest token.
        possible = [
            tokens for tokens in sequences
            if len(tokens) < 4 or table.after((START, *tokens[:3])).argmax() == END
        ]  # fmt: skip
        best = max(possible, key=lambda tokens: scores[tokens])
        found, *rest = search(table, 3, beams=100, power=power)
        assert (*found.tokens, END) == best
        assert found.score(power) == pytest.approx(scores[best])
        ranks = [(not one.ended, -one.score(power)) for one in (found, *rest)]
        assert ranks == sorted(ranks)
        assert len(ranks) == len({(one.tokens, one.ended) for one in (found, *rest)})


def test_what_does_not_end_stays_within_the_limit() -> None:
    for beams in (1, 3):
        found = search(Table(0, ending=-50.0), 7, beams)
        assert [len(one.tokens) for one in found] == [7] * beams
        assert not any(one.ended for one in found)


def test_each_sequence_has_a_state_of_its_own() -> None:
    """As deep as they go; each state has read all tokens of its sequence but the last."""
    for seed in range(10):
        table = Table(seed, ending=-50.0)
        for one in search(table, 6, beams=4):
            assert one.log_probability == pytest.approx(table.log_probability(one.tokens))


def test_of_equals_the_lowest_tokens_come_first() -> None:
    def even(token: int, state: History) -> np.ndarray:
        return np.log(np.array([0.3, 0.3, 0.1, 0.3]))

    found = [one.tokens for one in Search(even, START, END, 5, 1.0).run(History(), 3)]
    assert found == [(0, 0, 0), (0, 0, 1), (0, 0, 3), (0, 1, 0), (0, 1, 1)]


def test_what_cannot_be_is_not_followed() -> None:
    def one_way(token: int, state: History) -> np.ndarray:
        return np.array([-np.inf, 0.0, -np.inf, -np.inf])

    assert [one.tokens for one in Search(one_way, START, END, 3, 1.0).run(History(), 2)] == [(1, 1)]
