"""What methods of pruning add to a training step of ResNet-20, on one core.

Steps with and without pruning take turns. A method's whole phase of pruning is squeezed into few
steps, with all of its projections, so that their share is many times what it is in training.
"""

from __future__ import annotations

import os
import time

from figure import Figure
from worker import in_fresh_process

BATCH = 128
STEPS = 16
MOST_PERCENT = 15.0
METHODS = {
    "admm": ("block_punched", "pattern"),
    "reweighted": ("block_punched",),
    "group_lasso": ("block_punched",),
}


def measure(core: int) -> list[Figure]:
    """Percent of a step without pruning, in a process of its own."""
    return in_fresh_process(_measure, core)


def _measure(core: int) -> list[Figure]:
    os.sched_setaffinity(0, {core})
    return [
        Figure(f"{method}, {scheme}", _added(method, scheme), "%", MOST_PERCENT)
        for method, schemes in METHODS.items()
        for scheme in schemes
    ]


def _added(method: str, scheme: str) -> float:
    """Percent that all steps of pruning take longer than as many steps without."""
    import models  # finds cifar_resnet
    import torch
    from cifar_resnet import CifarResNet
    from torch import Tensor, nn
    from torch.nn import functional

    from niwaki.pruning import Pruner, PruningConfig

    torch.manual_seed(0)
    torch.set_grad_enabled(True)
    images, labels = models.inputs(BATCH, (3, 32, 32)), torch.randint(10, (BATCH,))
    images = images.to(memory_format=torch.channels_last)

    def step(network: nn.Module, optimizer: torch.optim.Optimizer, pruner: Pruner | None) -> float:
        started = time.perf_counter()
        loss: Tensor = functional.cross_entropy(network(images), labels)
        if pruner is not None:
            loss = loss + pruner.extra_loss()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return time.perf_counter() - started

    runs = []
    for with_pruning in (False, True):
        network = CifarResNet().train().to(memory_format=torch.channels_last)
        optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9)
        pruner = None
        if with_pruning:
            pruner = Pruner(network, PruningConfig(scheme, 4), method)
            pruner.before_training(epochs=2, steps=STEPS)  # the first is that of pruning
        runs.append((network, optimizer, pruner))
    for run in runs:
        step(*run[:2], None)  # the first one allocates
    times = [[step(*run) for run in runs] for _ in range(STEPS)]
    dense, pruned = (sum(column) for column in zip(*times, strict=True))
    return 100 * (pruned / dense - 1)
