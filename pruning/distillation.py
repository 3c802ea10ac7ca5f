"""Knowledge distillation: a pruned network learns what the dense one says, beside the labels.

The dense network's outputs tell more than labels do, for one which classes are alike; retraining
then needs fewer epochs (https://arxiv.org/abs/1503.02531; BLK-REW and RT3D retrain so).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from niwaki.arguments import check_kind, check_number
from niwaki.errors import NiwakiError
from niwaki.module_copy import copy_module

from .batches import evaluating


@dataclass
class Distillation:
    """A loss that is partly the distance from a teacher.

    Attributes:
        weight: share of the teacher in the loss, above 0; the rest is that of the labels.
        temperature: both networks' class scores are divided by it before softmax; the larger, the
            more unlikely classes count.
        teacher: None for a copy of the network before it is pruned.
        from_start: whether the teacher speaks while the method prunes, too, so that what is
            learnt from it decides what stays; else in retraining alone.

    Raises:
        NiwakiError: weight or temperature is out of range.
    """

    weight: float = 0.5
    temperature: float = 4.0
    teacher: nn.Module | None = None
    from_start: bool = False

    def __post_init__(self) -> None:
        check_number("weight of distillation", self.weight, "a number above 0 and at most 1")
        check_number("temperature of distillation", self.temperature, "a number above 0")
        if self.teacher is not None:
            check_kind("teacher", self.teacher, nn.Module, "a torch.nn.Module")
        if not 0 < self.weight <= 1 or not self.temperature > 0:
            raise NiwakiError(
                "the weight of distillation is above 0 and at most 1, its temperature above 0, not "
                f"{self.weight:g} and {self.temperature:g}"
            )

    def of(self, dense: nn.Module) -> Distillation:
        """The same with a teacher: a copy of `dense`, if there is no other."""
        if self.teacher is not None:
            return self
        teacher = copy_module(dense).eval().requires_grad_(False)
        return replace(self, teacher=teacher)

    def mix(self, loss: Tensor, outputs: Any, inputs: Any) -> Tensor:
        """The loss of the labels and that of the teacher, weighted.

        Args:
            loss: of `outputs` and labels.
            outputs: of the network: class scores ``[N, classes, ...]`` before softmax.
            inputs: of the network, several in a tuple; the teacher gets the same.

        Raises:
            NiwakiError: there is no teacher, or one of the networks returns something else.
        """
        if self.teacher is None:
            raise NiwakiError("distillation has no teacher yet: call Distillation.of(dense)")
        with evaluating(self.teacher):
            wanted = self.teacher(*inputs) if isinstance(inputs, tuple) else self.teacher(inputs)
        for name, value in (("network", outputs), ("teacher", wanted)):
            if not isinstance(value, Tensor) or value.dim() < 2 or value.shape[1] < 2:
                found = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
                raise NiwakiError(
                    "distillation compares class scores [N, classes, ...], and the "
                    f"{name} returns {found}: leave distillation out"
                )
        if outputs.shape != wanted.shape:
            raise NiwakiError(
                f"distillation compares equal outputs, and those of the network are "
                f"{list(outputs.shape)}, of the teacher {list(wanted.shape)}"
            )
        # The square keeps gradients as large as those of the labels.
        return (1 - self.weight) * loss + self.weight * self.temperature**2 * self._distance(
            outputs, wanted
        )

    def _distance(self, outputs: Tensor, wanted: Tensor) -> Tensor:
        """Kullback-Leibler divergence of the softened scores, the mean over all but classes."""
        student = functional.log_softmax(outputs / self.temperature, dim=1)
        teacher = functional.log_softmax(wanted / self.temperature, dim=1)
        return functional.kl_div(student, teacher, reduction="none", log_target=True).sum(1).mean()
