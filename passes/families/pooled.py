"""What a family can do with a maximum over windows that reads its result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from niwaki.targets import Target


@dataclass(frozen=True)
class Fused:
    """A kernel for a convolution and a pooling, and seconds that it takes beyond the first."""

    kernel: Any
    longer: float


class PooledForm(ABC):
    """How convolutions of a family take a pooling.

    Attributes:
        op: name of the op that does both, which has the arrays of the convolution's.
    """

    op: ClassVar[str]

    @abstractmethod
    def problem(self, outer: list[int], columns: int) -> str:
        """Why windows of these sizes do not fit, empty if they do."""

    @abstractmethod
    def fused(self, conv: Any, pool: Any, target: Target) -> Fused:
        """The kernel for a packed convolution, and for a `pool` that reads it."""
