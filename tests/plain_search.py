"""A plain beam search in PyTorch, to compare with: it keeps all states of all sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

# A token [1] and states --> scores [1, tokens], and states.
Step = Callable[[Tensor, tuple[Tensor, ...]], tuple[Tensor, tuple[Tensor, ...]]]


class Written(NamedTuple):
    """A sequence, the start in front."""

    score: float
    logarithm: float
    tokens: tuple[int, ...]
    ended: bool
    states: tuple[Tensor, ...]


def plain_search(
    step: Step, states: tuple[Tensor, ...], *, end: int, beams: int, power: float, limit: int
) -> list[Written]:
    """The best sequences from token 0 on, as `niwaki.decode` orders them."""
    beam = [Written(0.0, 0.0, (0,), False, states)]
    for number in range(limit + 1):
        longer: list[Written] = []
        for one in beam:
            longer += [one] if one.ended else _extended(one, step, end, power, number == limit)
        beam = sorted(longer, key=lambda one: -one.score)[:beams]
        if all(one.ended for one in beam):
            break
    return sorted(beam, key=lambda one: not one.ended)


def _extended(one: Written, step: Step, end: int, power: float, last: bool) -> list[Written]:
    with torch.no_grad():
        scores, states = step(torch.tensor(one.tokens[-1:]), one.states)
    gains: Any = scores[0].double().log_softmax(0)
    if last and gains.argmax() != end:
        return [one]
    found = []
    for token in [end] if last else range(len(gains)):
        total = one.logarithm + float(gains[token])
        tokens = one.tokens if token == end else (*one.tokens, token)
        found.append(Written(total / len(one.tokens) ** power, total, tokens, token == end, states))
    return found
