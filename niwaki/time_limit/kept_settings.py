"""Settings that were found for a time limit, kept beside the checkpoint of their training.

    run.ckpt   -->   run.ckpt.settings   {"options": {"target_ms": "5"}, "settings": ...}

They hang on measured times, so they would be others when a run that was killed is called again, and
its checkpoint would not fit.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from niwaki.atomic import atomic_file
from niwaki.errors import NiwakiError
from niwaki.layer_costs import Setting
from niwaki.pruning.checkpoint import check_options


@dataclass(frozen=True)
class KeptSettings:
    """Those of one run.

    Attributes:
        checkpoint: of its training; None where it has none, and nothing is kept.
        options: of the run, as text; a run with others is another one.
    """

    checkpoint: str | os.PathLike[str] | None
    options: Mapping[str, str]

    def load(self) -> dict[str, Setting] | None:
        """Those of the run that is to go on; None where there is no such run.

        Raises:
            NiwakiError: they are another run's, or cannot be read.
        """
        if self.checkpoint is None or not Path(self.checkpoint).exists():
            return None
        path = self._path(self.checkpoint)
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            options = dict(kept["options"])
            settings = {
                str(name): Setting(str(scheme), float(rate))
                for name, (scheme, rate) in kept["settings"].items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise NiwakiError(
                f"{self.checkpoint}: its run had no time limit, or {path} is missing or damaged: "
                "move the checkpoint away to start again"
            ) from None
        check_options(self.checkpoint, options, self.options)
        return settings

    def keep(self, settings: Mapping[str, Setting]) -> None:
        """For a run that begins; the checkpoint of the one before goes.

        Raises:
            NiwakiError: they cannot be written.
        """
        if self.checkpoint is None:
            return
        Path(self.checkpoint).unlink(missing_ok=True)
        told = {name: [one.scheme, one.rate] for name, one in settings.items()}
        with atomic_file(self._path(self.checkpoint)) as file:
            file.write(json.dumps({"options": dict(self.options), "settings": told}).encode())

    @staticmethod
    def _path(checkpoint: str | os.PathLike[str]) -> Path:
        return Path(f"{os.fspath(checkpoint)}.settings")
