"""`niwaki.prune`: prune a network and train it until it is as good as before."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from niwaki.errors import NiwakiError
from niwaki.module_copy import copy_module

from .arguments import check_arguments, check_optimizer, check_training
from .batches import described, evaluate, first_line, moved, parts
from .checkpoint import (
    check_options,
    load_checkpoint,
    random_state,
    save_checkpoint,
    set_random_state,
)
from .config import PruningConfig
from .distillation import Distillation
from .method import Method, parse_method
from .progress import Display, EpochReport, say
from .pruner import Pruner
from .scheme import PruningScheme

Loss = Callable[[Any, Any], Tensor]


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
    steps = _length(train_loader, epochs)
    pruned = copy_module(model)
    method = parse_method(method)
    if example is None and steps and (config.budget == "flops" or method.needs_example):
        example = _first_inputs(train_loader)
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
        training = _Training(
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


@dataclass
class _Training:
    """The loop around a pruner; the arguments of `prune`, and in `options` what must not change."""

    model: nn.Module
    pruner: Pruner
    loader: Any
    loss: Loss
    distillation: Distillation | None
    eval: Callable[[nn.Module], float] | None
    optimizer: Optimizer
    checkpoint: str | os.PathLike[str] | None
    options: dict[str, Any]

    def run(self, epochs: int, steps: int, display: Display) -> None:
        rates = [group["lr"] for group in self.optimizer.param_groups]
        if self._resume():
            display.say(f"goes on from {self.checkpoint}, after epoch {self.pruner.epoch}")
        while self.pruner.epoch < epochs:
            phase = "prune" if self.pruner.pruning else "retrain"
            total = 0.0
            self.model.train()
            for step, batch in enumerate(self.loader):
                done = self.pruner.epoch * steps + step
                factor = self._learning_rate(done / steps, epochs)
                for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
                    group["lr"] = rate * factor
                value = self._step(batch, step)
                total += value
                display.step(done + 1, value)
            residual = self.pruner.method.residual()
            self.pruner.each_epoch()
            self._check_weights()
            score = self._evaluate()
            self._save()
            layers = self.pruner.report()
            rate = sum(layer.total for layer in layers) / sum(layer.kept for layer in layers)
            display.epoch(
                EpochReport(self.pruner.epoch, phase, total / steps, score, residual, rate), layers
            )

    def _learning_rate(self, epoch: float, epochs: int) -> float:
        """Factor of the learning rate: 1 while pruning, then half a cosine down to 0."""
        retraining = epochs - self.pruner.method.pruning_epochs(epochs)
        left = epochs - epoch
        return 1.0 if left > retraining else 0.5 - 0.5 * math.cos(math.pi * left / retraining)

    def _step(self, batch: Any, step: int) -> float:
        device = next(self.model.parameters()).device
        inputs, targets = (moved(part, device) for part in parts(batch))
        outputs = self._outputs(inputs)
        loss = self._loss(outputs, targets)
        if self.distillation is not None and not self.pruner.pruning:
            loss = self.distillation.mix(loss, outputs, inputs)
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            shape = list(loss.shape) if isinstance(loss, Tensor) else type(loss).__name__
            raise NiwakiError(f"the loss is {shape} and must be a tensor of one number: the mean")
        value = float(loss.detach())
        if not math.isfinite(value):
            epoch = self.pruner.epoch + 1
            raise self._diverged(f"the loss is {value} in step {step + 1} of epoch {epoch}", epoch)
        self.optimizer.zero_grad()
        (loss + self.pruner.extra_loss()).backward()
        self.optimizer.step()
        return value

    def _outputs(self, inputs: Any) -> Any:
        try:
            return self.model(*inputs) if isinstance(inputs, tuple) else self.model(inputs)
        except (IndexError, RuntimeError, TypeError, ValueError) as error:
            raise NiwakiError(
                f"the network cannot take inputs {described(inputs)} of train_loader: "
                f"{first_line(error)}"
            ) from error

    def _loss(self, outputs: Any, targets: Any) -> Any:
        try:
            return self.loss(outputs, targets)
        except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
            raise NiwakiError(
                f"the loss cannot take outputs {described(outputs)} of the network and targets "
                f"{described(targets)} of train_loader: {first_line(error)}"
            ) from error

    def _check_weights(self) -> None:
        """Weights that are not finite must not replace the last good checkpoint."""
        epoch = self.pruner.epoch
        for name, value in self.model.state_dict().items():
            if not bool(value.isfinite().all()):
                raise self._diverged(f"{name} is not finite at the end of epoch {epoch}", epoch)

    def _diverged(self, what: str, epoch: int) -> NiwakiError:
        kept = f"{self.checkpoint} keeps the end of epoch {epoch - 1}"
        if self.checkpoint is None:
            kept = "no checkpoint was asked for"
        elif epoch == 1:
            kept = "there is no checkpoint yet"
        return NiwakiError(f"{what}: try a smaller learning rate; {kept}")

    def _evaluate(self) -> float | None:
        return None if self.eval is None else evaluate(self.eval, self.model)

    def _save(self) -> None:
        if self.checkpoint is None:
            return
        state = {
            "options": self.options,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "pruner": self.pruner.state_dict(),
            "random": random_state(self.loader),
        }
        save_checkpoint(self.checkpoint, state)

    def _resume(self) -> bool:
        """Go on from the checkpoint, if there is one."""
        path = self.checkpoint
        saved = None if path is None else load_checkpoint(path)
        if path is None or saved is None:
            return False
        check_options(path, saved["options"], self.options)
        try:
            self.model.load_state_dict(saved["model"])
            self.optimizer.load_state_dict(saved["optimizer"])
        except (RuntimeError, ValueError) as error:
            first = str(error).strip().splitlines()[0]
            raise NiwakiError(f"{path}: comes from another network or optimiser: {first}") from None
        self.pruner.load_state_dict(saved["pruner"])
        set_random_state(saved["random"], self.loader)
        return True


def _texts(distillation: Distillation | None) -> dict[str, Any]:
    """What a checkpoint's run must share."""
    if distillation is None:
        return {}
    return {
        "distillation weight": distillation.weight,
        "distillation temperature": distillation.temperature,
    }


def _length(loader: Any, epochs: int) -> int:
    """Steps of an epoch."""
    if epochs == 0:
        return 0
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


def _first_inputs(loader: Any) -> Any:
    """Those of the first batch; random numbers stay where they were."""
    state = random_state(loader)
    inputs, _ = parts(next(iter(loader)))
    set_random_state(state, loader)
    return inputs
