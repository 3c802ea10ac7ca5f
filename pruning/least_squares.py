"""Weights with which a layer does on new inputs X' what it did with V on X: least squares.

minimise  ||W X'^T - V X^T||^2 / R  +  ridge ||W - V||^2
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

TINY = 1e-30
STEPS = 30  # of conjugate gradients


class LeastSquares:
    """The problem of one layer, for weights ``[groups, F, K]``.

    Args:
        weight: V.
        before, now: X and X', ``[groups, R, K]``; the mean square of X' becomes 1, which is what
            `ridge` and rho refer to.
        ridge: keeps what inputs do not tell where it is.
        rho: of `near`.
    """

    def __init__(
        self, weight: Tensor, before: Tensor, now: Tensor, ridge: float, rho: float
    ) -> None:
        size = now.square().mean().sqrt()
        before, now = before / size, now / size
        rows, columns = now.shape[1:]
        self._now, self._ridge, self._rho = now, ridge, rho
        self._wanted = (weight @ before.mT) @ now / rows + ridge * weight
        # Whichever of the inputs' products is smaller: with K >> R the other has K^2 numbers.
        self._wide = columns > rows
        gram = (now @ now.mT if self._wide else now.mT @ now) / rows
        self._gram = None if self._wide else gram
        eye = torch.eye(gram.shape[1], dtype=gram.dtype, device=gram.device)
        self._inverse = torch.linalg.inv(gram + (ridge + rho) * eye)

    @staticmethod
    def is_told_by(now: Tensor) -> bool:
        """Whether inputs tell anything: they are finite, and not all zero."""
        return 0 < float(now.square().mean()) < math.inf

    def near(self, anchor: Tensor) -> Tensor:
        """The solution with ``rho ||W - anchor||^2`` on top."""
        right = self._wanted + self._rho * anchor
        if not self._wide:
            return right @ self._inverse
        # Woodbury's identity turns the inverse of K x K into one of R x R.
        rows = self._now.shape[1]
        inner = (right @ self._now.mT) @ self._inverse
        return (right - inner @ self._now / rows) / (self._ridge + self._rho)

    def under(self, mask: Tensor, start: Tensor) -> Tensor:
        """What conjugate gradients reach from `start`, where only weights of the mask move."""
        weight = start * mask
        residual = (self._wanted - self._times(weight)) * mask
        direction, energy = residual, residual.square().sum(dim=2, keepdim=True)
        for _ in range(STEPS):
            # Filters are problems of their own.
            turned = self._times(direction) * mask
            step = energy / (direction * turned).sum(dim=2, keepdim=True).clamp_min(TINY)
            weight = weight + step * direction
            residual = residual - step * turned
            last, energy = energy, residual.square().sum(dim=2, keepdim=True)
            direction = residual + energy / last.clamp_min(TINY) * direction
        return weight

    def _times(self, weight: Tensor) -> Tensor:
        """The matrix of the problem: ``W (X'^T X' / R + ridge)``."""
        if self._gram is not None:
            return weight @ self._gram + self._ridge * weight
        rows = self._now.shape[1]
        return (weight @ self._now.mT) @ self._now / rows + self._ridge * weight
