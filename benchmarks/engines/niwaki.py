"""Niwaki itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from variants import Variant

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


class NiwakiTogether(Niwaki):
    """Layers whose names begin with `left` on one core, all others on another, each a device."""

    name = "Niwaki, two devices together"
    file = "together.niwaki"
    threads = 2  # cores

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        import niwaki
        from niwaki.targets import best_cpu_target

        best = best_cpu_target()
        assert best is not None, "this machine runs code for host"
        target, place = f"host+{best.name}", {"left*": best.name}
        niwaki.compile(model, image, target=target, place=place, output=path)

    def load(self, path: Path) -> Network:
        import niwaki

        return niwaki.load(path, device="together")


class Varied(Niwaki):
    """Compiled in another way than users do."""

    variant: ClassVar[Variant]

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        self.variant.compile(model, image, path)


class Direct(Varied):
    """Without Winograd's algorithm: dense layers multiply as often as they have weights."""

    name = "Niwaki, direct"
    file = "direct.niwaki"
    variant = Variant(name, tiles="winograd=false")


class TilesOf4(Varied):
    """At most 4 filters share what gather-GEMM loads."""

    name = "Niwaki with 4 filters a load"
    file = "tiles-of-4.niwaki"
    variant = Variant(name, tiles="max-filters=4")


class TilesOf2(Varied):
    """At most 2."""

    name = "Niwaki with 2 filters a load"
    file = "tiles-of-2.niwaki"
    variant = Variant(name, tiles="max-filters=2")


class TilesOf1(Varied):
    """None: each filter loads all that it needs, patterns too."""

    name = "Niwaki with 1 filter a load"
    file = "tiles-of-1.niwaki"
    variant = Variant(name, tiles="max-filters=1")
