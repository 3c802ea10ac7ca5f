"""A small GRU that tells which digit is spoken.

It compiles as it is: `nn.GRU` becomes a linear layer for the inputs of all steps and a recurrent
layer, whose kernel has all steps.
"""

from __future__ import annotations

from calibration import Example, calibrated
from torch import Tensor, nn

FRAMES, BANDS = 28, 32


class DigitGRU(nn.Module):
    """A recurrent layer over log-mel frames ``[N, frames, bands]``, and a linear layer.

    The classifier sees the mean over all frames.
    """

    def __init__(self, bands: int = BANDS, hidden: int = 256, classes: int = 10) -> None:
        super().__init__()
        self.gru = nn.GRU(bands, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.gru(x)
        return self.fc(states.mean(1))


def digit_gru(frames: int = FRAMES) -> Example:
    """With random weights."""
    return calibrated(DigitGRU, (frames, BANDS))
