"""The recogniser of digit strings: a pruned encoder and decoder, compiled, and what they read.

    niwaki compile examples/speech.py:encoder -o encoder.niwaki
    niwaki compile examples/speech.py:decoder -o decoder.niwaki --state found=output_1

`recognise.py` shows what it can do, `train_recogniser.py` made its weights.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent / "networks"))

import numpy as np
from front_end import log_mel
from recogniser import BANDS, FRAMES, Recogniser, decoder_example, encoder_example
from sparse_weights import load_sparse
from torch import Tensor, nn

import niwaki

DATA = Path(__file__).resolve().parent / "data"
WEIGHTS = DATA / "digit_strings_block_column_row_4x.safetensors"
GUARD = DATA / "digit_strings_guard.safetensors"
STATES = {"found": "output_1"}

Example = tuple[nn.Module, tuple[Tensor, ...]]


def load() -> Recogniser:
    """The network that was trained and pruned."""
    network = Recogniser()
    network.load_state_dict(load_sparse(WEIGHTS))
    return network.eval()


def encoder() -> Example:
    """The encoder and its inputs."""
    return load().encoder, encoder_example()


def decoder() -> Example:
    """A step of the decoder and its inputs."""
    return load().decoder, decoder_example()


@dataclass(frozen=True)
class Listener:
    """A compiled recogniser."""

    encoder: niwaki.Network
    decoder: niwaki.Network

    @classmethod
    def compiled(cls, network: Recogniser, folder: Path) -> Listener:
        """Of a network in eval mode, with its bundles in a folder."""
        paths = folder / "encoder.niwaki", folder / "decoder.niwaki"
        niwaki.compile(network.encoder, encoder_example(), output=paths[0])
        niwaki.compile(network.decoder, decoder_example(), output=paths[1], states=STATES)
        return cls(*map(niwaki.load, paths))

    def hear(
        self, samples: np.ndarray, beams: int = 1, guard: niwaki.LengthGuard | None = None
    ) -> niwaki.Decoded:
        """What is said in samples, int16 at 8 kHz; digit d is token d + 1."""
        return niwaki.decode(self.encoder, self.decoder, inputs(samples), beams=beams, guard=guard)


def inputs(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The encoder's: frames ``[1, FRAMES, BANDS]`` of at most 4.8 seconds, and their number."""
    heard = log_mel(samples)[:FRAMES]
    frames = np.zeros((1, FRAMES, BANDS), np.float32)
    frames[0, : len(heard)] = heard
    return frames, np.array([len(heard)])


def errors(written: tuple[int, ...], said: tuple[int, ...]) -> int:
    """Digits to change, add and remove until tokens are what was said (Levenshtein)."""
    row = list(range(len(said) + 1))
    for count, token in enumerate(written, 1):
        diagonal, row[0] = row[0], count
        for place, digit in enumerate(said, 1):
            same = diagonal + (token != digit + 1)
            diagonal, row[place] = row[place], min(same, row[place] + 1, row[place - 1] + 1)
    return row[-1]


def error_rate(decoded: list[tuple[int, ...]], said: list[tuple[int, ...]]) -> float:
    """Errors in all strings over the digits that were said."""
    wrong = sum(errors(*pair) for pair in zip(decoded, said, strict=True))
    return wrong / sum(map(len, said))
