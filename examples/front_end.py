"""A front end for speech: log-mel frames, chunk by chunk as samples come, or of a whole recording.

    front = LogMel()
    for chunk in microphone:  # int16, of any lengths
        for frame in front(chunk):
            ...

Frames are between -1 and 1: 1 is as loud as the loudest band so far. So they need nothing of what
is still to come, and chunks of any lengths give the same frames.
"""

from __future__ import annotations

import numpy as np

RATE = 8000  # samples in a second
WINDOW, HOP = 256, 160  # samples: 32 ms, every 20 ms
BANDS = 32
FLOOR = 1e-6  # energy that is added, so that digital silence has a logarithm
QUIET = -3.0  # logarithm of what counts as loud before anything else has come
RANGE = 10.0  # of logarithms: 43 dB


class LogMel:
    """Frames of one stream of samples."""

    def __init__(self) -> None:
        self._waiting = np.zeros(0, np.int16)
        self._loudest = QUIET

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """The frames that these samples complete, float32 ``[n, BANDS]``; n may be 0.

        Args:
            samples: int16 ``[any]``, those that follow the ones before.
        """
        waiting = np.concatenate([self._waiting, samples])
        count = max(0, (len(waiting) - WINDOW) // HOP + 1)
        self._waiting = waiting[count * HOP :]
        if not count:
            return np.zeros((0, BANDS), np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(waiting, WINDOW)[: count * HOP : HOP]
        spectra = np.fft.rfft(windows / 32768 * np.hanning(WINDOW), axis=1)
        levels = np.log(np.abs(spectra) ** 2 @ FILTERS + FLOOR)
        loudest = np.maximum.accumulate(np.append(self._loudest, levels.max(1)))[1:, None]
        self._loudest = loudest[-1, 0]
        return (2 * np.maximum(levels - loudest, -RANGE) / RANGE + 1).astype(np.float32)


def log_mel(samples: np.ndarray) -> np.ndarray:
    """The frames of a whole recording, float32 ``[n, BANDS]``."""
    return LogMel()(samples)


def _filters() -> np.ndarray:
    """Triangles [bins, BANDS] that are equally wide in mel."""
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    bins = np.linspace(0, RATE / 2, WINDOW // 2 + 1)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling))


FILTERS = _filters()
