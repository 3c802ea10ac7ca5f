"""How to tune: what `niwaki compile --tune`, `--tune-from` and their options say."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
        device_times: files that `niwaki deploy` wrote, by whose times kernels are chosen. Then
            nothing is measured, and the other settings have no effect.
    """

    db: Path | None = None
    trials: int = TRIALS
    workers: str | None = None
    device_times: tuple[Path, ...] = ()

    def check(self, target: str) -> None:
        """Refuse what cannot be tuned before any work is done.

        Raises:
            NiwakiError: `target` is not the host, Optuna or Ray is missing, or a setting is wrong.
        """
        if self.device_times:
            if replace(self, device_times=()) != Tuning():
                raise NiwakiError("tuning by device_times measures nothing: leave the rest out")
            return
        if target != "host":
            told = f"tuning runs kernels on this machine, and cannot for target '{target}'"
            raise NiwakiError(f"{told}: use target host, or compile without tuning")
        if self.trials < 1:
            raise NiwakiError(f"tuning needs at least 1 trial for each layer, not {self.trials}")
        require("tune")
        if self.workers is not None:
            require("ray")
