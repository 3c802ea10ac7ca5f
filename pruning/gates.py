"""Gates that learn what a network needs: open where a gate is at least one half, else closed.

    mask = 1 where gate >= 1/2, else 0

In the backward pass a gate gets the gradient of its mask, as if the threshold were not there (the
straight-through estimator, https://arxiv.org/abs/1308.3432). What masks are multiplied with is
channels (`channel_gates`) or blocks of weights (`block_gates`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

THRESHOLD = 0.5
TINY = 1e-9

Key = TypeVar("Key", bound=Hashable)


class _Straight(torch.autograd.Function):
    """A mask whose gradient goes to the gates."""

    @staticmethod
    def forward(ctx: Any, gates: Tensor, mask: Tensor) -> Tensor:
        return mask.to(gates)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


class Gates(Generic[Key]):
    """Groups of gates; they take a step in each backward pass.

    Args:
        strengths: of what the gates of each group stand for; all are open at first, the weakest
            just so.
        least: gates of each group that stay open.
        rate: of learning, by Adam.
    """

    def __init__(
        self, strengths: Mapping[Key, Tensor], least: int, rate: float, device: torch.device
    ) -> None:
        self._least = least
        self._parts: dict[Key, slice] = {}
        total = 0
        for key, strength in strengths.items():
            self._parts[key] = slice(total, total + len(strength))
            total += len(strength)
        self.values = nn.Parameter(torch.ones(total, device=device))
        for key, part in self._parts.items():
            places = strengths[key].argsort().argsort() / len(strengths[key])
            self.values.data[part] = THRESHOLD + (1 - THRESHOLD) * places
        self.rate = rate
        self.optimizer = torch.optim.Adam([self.values], rate)
        self.handles: list[RemovableHandle] = []

    def install(self) -> None:
        """From now on they learn, and the network computes with them."""
        self.handles.append(self.values.register_post_accumulate_grad_hook(self._learn))

    def remove(self) -> None:
        """Leave the network as it was."""
        for handle in self.handles:
            handle.remove()
        self.handles.clear()

    def masks(self) -> dict[Key, Tensor]:
        """Those of all groups."""
        return {key: self.mask(key) for key in self._parts}

    def mask(self, key: Key) -> Tensor:
        """Of a group 1 for open gates and 0 for others; gradients flow to gates."""
        values = self.values[self._parts[key]]
        mask: Tensor = _Straight.apply(values, self._open(values, THRESHOLD))
        return mask

    def chosen(
        self, cost: Callable[[Mapping[Key, Tensor]], float], most: float
    ) -> dict[Key, Tensor]:
        """Of each group the gates that stay open, so many that what is left costs at most `most`.

        That moves the threshold to where it just does. Where nothing is cheap enough, as few stay
        open as can.
        """
        values = self.values.detach().double()
        for part in self._parts.values():
            # Of equal gates an equal share of each group.
            values[part] += TINY * torch.linspace(0, 1, part.stop - part.start).to(values)
        thresholds = values.sort().values
        low, high = 0, len(thresholds)
        while low < high:
            middle = (low + high) // 2
            if cost(self._kept(values, float(thresholds[middle]))) <= most:
                high = middle
            else:
                low = middle + 1
        return self._kept(values, float(thresholds[low]) if low < len(thresholds) else torch.inf)

    def _kept(self, values: Tensor, threshold: float) -> dict[Key, Tensor]:
        return {key: self._open(values[part], threshold) for key, part in self._parts.items()}

    def _open(self, values: Tensor, threshold: float) -> Tensor:
        strongest = values.detach().topk(min(self._least, len(values))).indices
        return (values.detach() >= threshold).index_fill(0, strongest, True)

    def _learn(self, values: Tensor) -> None:
        self.optimizer.param_groups[0]["lr"] = self.rate
        self.optimizer.step()
        self.optimizer.zero_grad()
        # What is far above or below the threshold would take long to come back.
        values.data.clamp_(0, 1)
