"""The loop that trains a network while it is pruned and after, and its checkpoints.

for each epoch:   steps of optimiser and pruner   -->   pruner, evaluation, checkpoint, report
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from niwaki.errors import NiwakiError

from .batches import evaluate, loss_of, moved, outputs_of, parts
from .checkpoint import (
    check_options,
    load_checkpoint,
    random_state,
    save_checkpoint,
    set_random_state,
)
from .distillation import Distillation
from .progress import Display, EpochReport
from .pruner import Pruner

Loss = Callable[[Any, Any], Tensor]


@dataclass
class TrainingLoop:
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
        outputs = outputs_of(self.model, inputs)
        loss = loss_of(self.loss, outputs, targets)
        distillation = self.distillation
        if distillation is not None and (distillation.from_start or not self.pruner.pruning):
            loss = distillation.mix(loss, outputs, inputs)
        value = float(loss.detach())
        if not math.isfinite(value):
            epoch = self.pruner.epoch + 1
            raise self._diverged(f"the loss is {value} in step {step + 1} of epoch {epoch}", epoch)
        self.optimizer.zero_grad()
        (loss + self.pruner.extra_loss()).backward()
        self.optimizer.step()
        return value

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
