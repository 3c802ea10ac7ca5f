"""RTMobile's network (https://arxiv.org/abs/2002.11474): two GRUs tell a phone for each frame.

It is trained on strings of frames, and runs frame by frame with its state.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

BANDS, HIDDEN, LAYERS = 32, 256, 2
CLASSES = 31  # silence, and the three thirds of each digit


class FrameGRU(nn.Module):
    """Frames ``[N, T, bands]`` --> scores ``[N, classes, T]``."""

    def __init__(self, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.gru = nn.GRU(BANDS, hidden, LAYERS, batch_first=True)
        self.fc = nn.Linear(hidden, CLASSES)

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """`lengths` tell nothing new: a frame hears only what was before."""
        return self.fc(self.gru(frames)[0]).transpose(1, 2)


class FrameStep(nn.Module):
    """One frame ``[1, bands]`` and the state ``[layers, 1, hidden]`` --> scores, next state."""

    def __init__(self, network: FrameGRU) -> None:
        super().__init__()
        self.gru, self.fc = network.gru, network.fc

    def forward(self, frame: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        states, state = self.gru(frame[:, None], state)
        return self.fc(states[:, 0]), state

    def example(self) -> tuple[Tensor, Tensor]:
        """Inputs."""
        return torch.zeros(1, BANDS), torch.zeros(LAYERS, 1, self.gru.hidden_size)
