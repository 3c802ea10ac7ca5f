"""How to tune: what `niwaki compile --tune` and its options say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from niwaki.errors import NiwakiError
from niwaki.extras import require

TRIALS = 32


@dataclass(frozen=True)
class Tuning:
    """Choose kernels by measuring them.

    Attributes:
        db: the database of times; None for the one in the user's folder for caches.
        trials: kernels to measure of each distinct layer, at most.
        workers: address of a Ray cluster whose machines measure, such as ``ray://head:10001``;
            None for this machine alone.
    """

    db: Path | None = None
    trials: int = TRIALS
    workers: str | None = None

    def check(self, target: str) -> None:
        """Refuse what cannot be tuned before any work is done.

        Raises:
            NiwakiError: `target` is not the host, Optuna or Ray is missing, or a setting is wrong.
        """
        if target != "host":
            told = f"tuning runs kernels on this machine, and cannot for target '{target}'"
            raise NiwakiError(f"{told}: use target host, or compile without tuning")
        if self.trials < 1:
            raise NiwakiError(f"tuning needs at least 1 trial for each layer, not {self.trials}")
        require("tune")
        if self.workers is not None:
            require("ray")
