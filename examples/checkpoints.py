"""Networks that were really pruned and retrained, with inputs to test them.

    niwaki compile examples/checkpoints.py:fashion_pattern -o net.niwaki

data/README.md says where their weights and inputs come from, docs/accuracy.md how well they do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent / "networks"))

import numpy as np
import torch
from fashion_mnist import DATA, FashionNet, load_test_images
from gru import DigitGRU
from sparse_weights import load_sparse
from torch import Tensor, nn

SPECTRA = DATA / "spoken_digits_200.npz"

Example = tuple[nn.Module, tuple[Tensor]]


@dataclass(frozen=True)
class Checkpoint:
    """A pruned network.

    Attributes:
        file: of its weights.
        network: makes it.
        inputs: gives inputs ``[N, ...]`` that training has not seen, and their labels ``[N]``.
        scheme: of its zeros, as reports call it.
        rate: all weights / kept weights of its pruned layers.
    """

    file: str
    network: Callable[[], nn.Module]
    inputs: Callable[[], tuple[np.ndarray, np.ndarray]]
    scheme: str
    rate: float

    def load(self) -> nn.Module:
        """In eval mode."""
        network = self.network()
        network.load_state_dict(load_sparse(DATA / self.file))
        return network.eval()

    def make(self) -> Example:
        """The network and an input: what `niwaki compile` asks for."""
        inputs, _ = self.inputs()
        return self.load(), (torch.from_numpy(inputs[:1]),)


def load_spectra() -> tuple[np.ndarray, np.ndarray]:
    """Spectra float32 [200, 28, 32] of clips from two speakers, and labels int64 [200]."""
    with np.load(SPECTRA) as archive:
        return archive["spectra"].astype(np.float32), archive["labels"].astype(np.int64)


CHECKPOINTS = {
    "fashion_pattern": Checkpoint(
        "fashion_mnist_pattern_8x.safetensors", FashionNet, load_test_images, "pattern", 8
    ),
    "fashion_block_punched": Checkpoint(
        "fashion_mnist_block_punched_8x.safetensors",
        FashionNet,
        load_test_images,
        "block_punched",
        8,
    ),
    "digit_gru": Checkpoint(
        "spoken_digits_block_column_row_10x.safetensors",
        DigitGRU,
        load_spectra,
        "block_column_row",
        10,
    ),
}

fashion_pattern = CHECKPOINTS["fashion_pattern"].make
fashion_block_punched = CHECKPOINTS["fashion_block_punched"].make
digit_gru = CHECKPOINTS["digit_gru"].make
