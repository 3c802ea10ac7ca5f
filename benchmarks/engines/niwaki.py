"""Niwaki itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engines.base import Engine, Network

if TYPE_CHECKING:
    import torch


class Niwaki(Engine):
    """Finds the network's zeros by itself: it is given the module and nothing else."""

    name = "Niwaki"
    distribution = "niwaki"
    file = "net.niwaki"

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        import niwaki

        niwaki.compile(model, image, target="host", output=path)

    def load(self, path: Path) -> Network:
        import niwaki

        return niwaki.load(path, threads=self.threads)


class NiwakiOnTwoThreads(Niwaki):
    """The same bundle on two cores."""

    name = "Niwaki on 2 threads"
    threads = 2
