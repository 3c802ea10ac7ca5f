"""An encoder and a decoder with attention, which write down the digits that are spoken.

The encoder is two GRUs, each of which reads pairs of what is below it: a state for every four
frames (https://arxiv.org/abs/1508.01211). The decoder writes a digit a step: a GRU whose state is
what the step before found among the encoder's states, and whose next one tells where to look.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

BANDS, HIDDEN, EMBEDDING = 32, 128, 32
FRAMES = 240  # of the longest recording: 4.8 seconds
STRIDE = 4  # frames a state
MARK = 0  # the token before the first digit and behind the last one; digit d is token d + 1
TOKENS = 11


class Encoder(nn.Module):
    """Frames ``[N, T, bands]`` and their numbers ``[N]`` --> states, keys, and which there are.

    States ``[N, T / 4, hidden]`` are zeros beyond a recording's end, keys are what the decoder
    compares with, and the last ``[N, T / 4]`` is 0 for states that there are and -inf beyond.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lower = nn.GRU(2 * BANDS, HIDDEN, batch_first=True)
        self.upper = nn.GRU(2 * HIDDEN, HIDDEN, batch_first=True)
        self.keys = nn.Linear(HIDDEN, HIDDEN)

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        states = self.upper(_pairs(self.lower(_pairs(frames))[0]))[0]
        there = STRIDE * torch.arange(states.shape[1]) < lengths[:, None]
        absent = torch.zeros(there.shape).masked_fill(~there, -math.inf)
        return states * there[:, :, None], self.keys(states), absent


class Decoder(nn.Module):
    """One step: the token before, what the encoder gave, and what the step before found.

    Returns scores of the next token ``[N, tokens]``, and what it found ``[N, hidden]``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, EMBEDDING)
        self.cell = nn.GRUCell(EMBEDDING, HIDDEN)
        self.query = nn.Linear(HIDDEN, HIDDEN)
        self.scores = nn.Linear(2 * HIDDEN, TOKENS)

    def forward(
        self, token: Tensor, states: Tensor, keys: Tensor, absent: Tensor, found: Tensor
    ) -> tuple[Tensor, Tensor]:
        hidden = self.cell(self.embedding(token), found)
        match = (keys @ self.query(hidden)[:, :, None])[:, :, 0] / math.sqrt(HIDDEN)
        shares = (match + absent).softmax(1)
        found = (shares[:, None] @ states)[:, 0]
        return self.scores(torch.cat([hidden, found], 1)), found


class Recogniser(nn.Module):
    """Both, as they are trained: the decoder is told the right token before each one."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    def forward(self, frames: Tensor, lengths: Tensor, tokens: Tensor) -> Tensor:
        """Scores ``[N, tokens, L]`` of what follows each of the tokens ``[N, L]``."""
        encoded = self.encoder(frames, lengths)
        found = frames.new_zeros(len(frames), HIDDEN)
        scores = []
        for token in tokens.unbind(1):
            score, found = self.decoder(token, *encoded, found)
            scores.append(score)
        return torch.stack(scores, 2)


def encoder_example() -> tuple[Tensor, ...]:
    """Inputs of an encoder, as `niwaki.compile` wants them."""
    return torch.zeros(1, FRAMES, BANDS), torch.full((1,), FRAMES)


def decoder_example() -> tuple[Tensor, ...]:
    """Inputs of a decoder's step."""
    states = torch.zeros(1, FRAMES // STRIDE, HIDDEN)
    return torch.zeros(1, dtype=torch.int64), states, states, states[:, :, 0], states[:, 0]


def _pairs(steps: Tensor) -> Tensor:
    """``[N, 2 T, C]`` --> ``[N, T, 2 C]``."""
    return steps.reshape(len(steps), steps.shape[1] // 2, 2 * steps.shape[2])
