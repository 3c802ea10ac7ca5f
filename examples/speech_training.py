"""How the networks of speech are trained and pruned."""

from __future__ import annotations

from typing import TypeVar

import click
import torch
from speech_batches import StringBatches
from torch import Tensor, nn
from torch.nn import functional

import niwaki
from niwaki.pruning import PruningConfig

IGNORED = -100  # a target behind the end
MOST = 1.0  # of a gradient's norm

Net = TypeVar("Net", bound=nn.Module)


def loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of scores ``[N, classes, L]`` and targets ``[N, L]``."""
    return functional.cross_entropy(scores, targets, ignore_index=IGNORED)


def train(network: nn.Module, batches: StringBatches, learning_rate: float) -> None:
    """One epoch, with a learning rate that rises and falls."""
    optimizer = torch.optim.Adam(network.parameters(), learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, len(batches), pct_start=0.1
    )
    network.train()
    for step, (inputs, targets) in enumerate(batches, 1):
        value = loss(network(*inputs), targets)
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), MOST)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            click.echo(f"step {step}: loss {value.item():.3f}")
    network.eval()


def prune(
    network: Net, batches: StringBatches, rate: float, layers: tuple[str, ...], epochs: int,
    learning_rate: float,
) -> Net:  # fmt: skip
    """A copy whose named layers are pruned in blocks of columns and rows, and retrained."""
    pruned = niwaki.prune(
        network,
        batches,
        config=PruningConfig("block_column_row", rate, include=layers),
        method="gradual",
        epochs=epochs,
        loss=loss,
        learning_rate=learning_rate,
    )
    assert isinstance(pruned, type(network))
    return pruned.eval()
