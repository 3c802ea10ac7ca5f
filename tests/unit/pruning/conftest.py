"""What tests of training share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn
from unit.pruning.tiny_task import trained


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """What is so small gains nothing from more, and sums are the same everywhere."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def dense() -> nn.Module:
    """The tiny task's network, trained."""
    return trained()
