"""Sequences from two networks: an encoder that hears, and a decoder that writes a token a step.

    decoded = niwaki.decode(encoder, decoder, (frames, length), beams=4)

The encoder's outputs are, in order, what the decoder takes at each step behind the token before it:

    encoder   frames[1, T, bands], length[1]                 --> states[1, S, C], keys[1, S, C], ...
    decoder   token[1], states[1, S, C], keys[1, S, C], ...  --> scores[1, tokens], and its states

Scores are logits or logarithms of probabilities. Where recordings differ in length, T is that of
the longest, and what the encoder gives tells the decoder which states there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from niwaki.arguments import check_kind, check_number, check_whole
from niwaki.errors import NiwakiError
from niwaki.signature import flatten

from .beam_search import Hypothesis, Search
from .decoder_step import DecoderStep
from .length_guard import LengthGuard
from .network import Network
from .state import State

Ending = Literal["end", "cut", "bound"]


@dataclass(frozen=True)
class Decoded:
    """What was decoded.

    Attributes:
        tokens: without start and end.
        log_probability: of the tokens, and of the end if it was written.
        score: what the beam was ordered by: `log_probability` over a power of the length.
        ending: ``end``: the decoder wrote the end; ``cut``: it went on beyond what the guard
            allows; ``bound``: it went on beyond `max_tokens`.
        others: the rest of the beam, the best one first.
    """

    tokens: tuple[int, ...]
    log_probability: float
    score: float
    ending: Ending
    others: tuple[Decoded, ...] = ()


def decode(
    encoder: Network,
    decoder: Network,
    inputs: Any,
    *,
    start: int = 0,
    end: int = 0,
    beams: int = 1,
    length_power: float = 1.0,
    max_tokens: int = 256,
    guard: LengthGuard | None = None,
) -> Decoded:
    """What the decoder writes about the encoder's inputs.

    Args:
        encoder: its outputs are the decoder's inputs at each step. With a guard the first one are
            states ``[1, S, C]``, zeros beyond a recording's end.
        decoder: a network with states. A step takes the token before it, then the encoder's
            outputs, and returns scores of the next token.
        inputs: the encoder's, several in a tuple.
        start: the token before the first one.
        end: the token that ends a sequence.
        beams: how many sequences are followed at once; 1 is greedy. The same inputs give the same
            result: of equally good sequences the one with the lower token comes first.
        length_power: sequences are compared by their logarithms over this power of their length: 0
            favours short ones, 1 compares means per token.
        max_tokens: no sequence gets longer; the result says where one would.
        guard: tells from the states how many tokens there can be, and cuts what gets longer.

    Raises:
        NiwakiError: the networks do not fit together, an argument is wrong, or the decoder's scores
            are not numbers.
    """
    check_kind("encoder", encoder, Network, "a loaded network")
    check_kind("decoder", decoder, Network, "a loaded network")
    check_kind("guard", guard, (LengthGuard, type(None)), "a LengthGuard or None")
    check_whole("start", start, 0)
    check_whole("end", end, 0)
    check_whole("beams", beams, 1)
    # Of the longest sequences such a power is still a float.
    check_number("length_power", length_power, "a number from 0 to 16", 0, 16)
    check_whole("max_tokens", max_tokens, 1)
    step = DecoderStep(encoder, decoder)
    path = decoder.bundle.path
    if start > step.largest:
        raise NiwakiError(f"start is a token that {path} takes, up to {step.largest}, not {start}")
    if end >= step.tokens:
        raise NiwakiError(f"end is one of the {step.tokens} tokens of {path}, from 0 on, not {end}")
    outputs = encoder(*inputs) if isinstance(inputs, (tuple, list)) else encoder(inputs)
    encoded, _ = flatten(outputs)
    step.check(encoded)
    allowed = guard.limit(encoded[0] if encoded else np.zeros(0)) if guard else max_tokens
    unended: Ending = "cut" if guard and allowed <= max_tokens else "bound"

    def decoded(one: Hypothesis[State], others: tuple[Decoded, ...] = ()) -> Decoded:
        ending = "end" if one.ended else unended
        return Decoded(one.tokens, one.log_probability, one.score(length_power), ending, others)

    search = Search(partial(step, encoded), start, end, beams, length_power)
    best, *rest = search.run(decoder.initial_state(), min(allowed, max_tokens))
    return decoded(best, tuple(decoded(one) for one in rest))
