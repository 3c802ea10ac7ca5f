"""`niwaki.prune`: prune a network and train it until it is as good as before."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.optim import Optimizer

from niwaki.errors import NiwakiError
from niwaki.module_copy import copy_module

from .arguments import check_arguments, check_optimizer, check_training
from .batches import moved, parts
from .checkpoint import random_state, set_random_state
from .config import PruningConfig
from .distillation import Distillation
from .method import Method, parse_method
from .progress import Display, say
from .pruner import Pruner
from .scheme import PruningScheme
from .training_loop import Loss, TrainingLoop


def prune(
    model: nn.Module,
    train_loader: Any = None,
    *,
    scheme: str | PruningScheme | None = None,
    rate: float | None = None,
    method: str | Method = "admm",
    epochs: int = 0,
    loss: Loss = functional.cross_entropy,
    eval: Callable[[nn.Module], float] | None = None,
    config: PruningConfig | None = None,
    learning_rate: float = 1e-3,
    optimizer: Callable[[Iterable[nn.Parameter]], Optimizer] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = True,
    example: Any = None,
    distillation: Distillation | None = None,
) -> nn.Module:
    """A pruned copy of a trained network; the network itself stays as it is.

    Args:
        train_loader: batches ``(inputs, targets)``, several inputs in a tuple. Its length is known,
            as a `DataLoader`'s. None for methods that need no training, with 0 epochs.
        scheme: of layers to which `config` gives none, e.g. ``"pattern"``, ``"block_punched"``.
        rate: all weights / kept weights of each of these layers.
        method: one of `METHODS`, as ``"magnitude"``, perhaps with parameters, as
            ``"admm(rho=1e-3)"``.
        epochs: of pruning and retraining together.
        loss: of the network's outputs and the targets.
        eval: what to show of the network after each epoch, e.g. its accuracy on other data.
        config: which layers, and schemes and rates of single ones.
        learning_rate: of Adam, the optimiser without `optimizer`. Any optimiser's rate stays while
            weights are pruned, and falls to 0 by a cosine while they are retrained.
        optimizer: makes one of the network's parameters.
        checkpoint: a file. It is written after each epoch; if it exists, training goes on from it.
            On a CPU the weights are then those of an uninterrupted run.
        progress: show a progress bar and tables on the error stream.
        example: inputs of the network, several in a tuple, for the budget flops; None: those of the
            first batch.
        distillation: retrain with a teacher too, which is the dense network if there is no other.

    Raises:
        NiwakiError: options, layers and data do not fit together, the loss is not finite, or the
            checkpoint is damaged or of another run.
    """
    check_arguments(
        model, train_loader=train_loader, scheme=scheme, rate=rate, method=method, epochs=epochs,
        loss=loss, eval=eval, config=config, learning_rate=learning_rate, optimizer=optimizer,
        checkpoint=checkpoint, progress=progress, example=example, distillation=distillation,
    )  # fmt: skip
    config = config or PruningConfig()
    config = replace(
        config,
        scheme=config.scheme if scheme is None else scheme,
        rate=config.rate if rate is None else rate,
    )
    steps = steps_of(train_loader) if epochs else 0
    pruned = copy_module(model)
    method = parse_method(method)
    if example is None and steps and (config.budget == "flops" or method.needs_example):
        example = first_inputs(train_loader)
    first = next(pruned.parameters(), None)
    if example is not None and first is not None:
        example = moved(example, first.device)
    pruner = Pruner(pruned, config, method, example)
    options = {
        "method": str(pruner.method),
        "epochs": epochs,
        "steps": steps,
        "learning_rate": learning_rate,
        **_texts(distillation),
        **{f"layer {name}": text for name, text in pruner.plan.items()},
    }
    check_training(method, train_loader, epochs)
    pruner.before_training(epochs, steps)
    if progress and pruner.left_out:
        say(f"stays dense: {pruner.left_out}")
    if epochs:
        if not any(parameter.requires_grad for parameter in pruned.parameters()):
            raise NiwakiError("no parameter of the network is trained: call model.requires_grad_()")
        make = optimizer or (lambda parameters: torch.optim.Adam(parameters, learning_rate))
        made = make(pruned.parameters())
        check_optimizer(made)
        training = TrainingLoop(
            pruned,
            pruner,
            train_loader,
            loss,
            distillation and distillation.of(model),
            eval,
            made,
            checkpoint,
            options,
        )
        with torch.enable_grad(), Display(epochs, steps, progress) as display:
            training.run(epochs, steps, display)
    pruner.finish()
    for module, given in zip(pruned.modules(), model.modules(), strict=True):
        module.training = given.training
    return pruned


def _texts(distillation: Distillation | None) -> dict[str, Any]:
    """What a checkpoint's run must share."""
    if distillation is None:
        return {}
    return {
        "distillation weight": distillation.weight,
        "distillation temperature": distillation.temperature,
        "distillation from_start": distillation.from_start,
    }


def steps_of(loader: Any) -> int:
    """Steps of an epoch.

    Raises:
        NiwakiError: they are not known, or there are none.
    """
    try:
        steps = len(loader)
    except TypeError:
        raise NiwakiError(
            "the length of the training data must be known: give as train_loader a DataLoader or "
            "a list of batches"
        ) from None
    if steps < 1:
        raise NiwakiError("the training data of train_loader is empty: give at least one batch")
    return steps


def first_inputs(loader: Any) -> Any:
    """Those of the first batch; random numbers stay where they were."""
    state = random_state(loader)
    inputs, _ = parts(next(iter(loader)))
    set_random_state(state, loader)
    return inputs
