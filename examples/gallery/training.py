"""Networks of the gallery, trained once and kept: `DENSE` and `PRUNED` in an application's folder.

A training that is killed goes on from its last epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from gallery.application import Work
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import niwaki
from niwaki.atomic import atomic_file
from niwaki.pruning import Distillation, PruningConfig

DENSE, PRUNED = "dense", "pruned"
# What leaves all weights as they are, so that one loop trains dense and pruned networks.
UNPRUNED = PruningConfig("unstructured", 1)


@dataclass(frozen=True)
class Budget:
    """How long a network learns, and how fast.

    Attributes:
        steps: batches of an epoch, of which work's effort leaves a share. Epochs stay, as methods
            of pruning need them.
        learning_rate: of AdamW, at its highest; it falls by a cosine.
    """

    epochs: int
    steps: int
    learning_rate: float


def trained(
    work: Work,
    name: str,
    network: nn.Module,
    batches: Callable[[int], Any],
    loss: Callable[[Any, Any], Tensor],
    budget: Budget,
    *,
    config: PruningConfig = UNPRUNED,
    method: str = "magnitude",
    distillation: Distillation | None = None,
) -> nn.Module:
    """A copy of the network in eval mode, trained and perhaps pruned; read if it was kept before.

    Args:
        name: `DENSE`, `PRUNED`, or of a network on the way.
        batches: makes so many batches, pairs of inputs and targets, that have a length.
    """
    file, unfinished = (work.folder / f"{name}.{end}" for end in ("safetensors", "ckpt"))
    if file.exists():
        return kept(work, name, network)
    work.tell(f"training the {name} network")

    is_of_images = all(weight.dim() <= 4 for weight in network.parameters())
    if is_of_images:
        network.to(memory_format=torch.channels_last)  # faster; clips have no such layout

    def optimizer(parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.AdamW(parameters, budget.learning_rate, weight_decay=0.01)

    # Convolutions compute in bf16, twice as fast where the processor has it, but for 3-D ones: in
    # PyTorch 2.13 gradients of kernels 3x1x1 on two frames then read memory that nothing wrote.
    # Rounded weights must not be kept from one step to the next.
    with torch.autocast("cpu", torch.bfloat16, is_of_images, cache_enabled=False):
        made = niwaki.prune(
            network,
            batches(work.share(budget.steps)),
            config=config,
            method=method,
            epochs=budget.epochs,
            loss=loss,
            optimizer=optimizer,
            checkpoint=unfinished,
            progress=False,
            distillation=distillation,
        )
    state = {key: value.contiguous() for key, value in made.state_dict().items()}
    with atomic_file(file) as whole:
        save_file(state, whole.name)
    unfinished.unlink(missing_ok=True)
    return made.eval()


def kept(work: Work, name: str, network: nn.Module) -> nn.Module:
    """The network with weights that `trained` has kept, in eval mode."""
    network.load_state_dict(load_file(work.folder / f"{name}.safetensors"))
    return network.eval()
