"""What an engine must do to be measured."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Array = NDArray[Any]
Network = Callable[[Array], Array]


class Engine(ABC):
    """One way to run a network, on one thread if nothing else is said.

    Its modules are imported by its methods, in a process of its own, so that a missing one harms
    nobody and no engine's threads or allocator meet another's.

    Attributes:
        name: as tables show it.
        distribution: the installed package whose version counts.
        file: name of what `prepare` writes and `load` reads; engines that read the same file share
            it.
        environment: names the virtual environment that `load` runs in, for an engine that gets on
            with none of the others' packages; empty where it shares the benchmarks' own, in which
            `prepare` always runs.
        tolerance: how much its results may differ from PyTorch's, relative to the largest of these.
            Rounding grows through fifty layers; a wrong halo or weight gives far more.
        threads: on which it runs, each on a core of its own.
    """

    name: ClassVar[str]
    distribution: ClassVar[str]
    file: ClassVar[str]
    environment: ClassVar[str] = ""
    tolerance: ClassVar[float] = 1e-3
    threads: ClassVar[int] = 1

    @abstractmethod
    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        """Write `model`, for inputs like `image`, to `path`."""

    @abstractmethod
    def load(self, path: Path) -> Network:
        """What `prepare` wrote, ready to run: numpy in, numpy out.

        The result of a call need not outlive the next one.
        """

    def version(self) -> str | None:
        """The version that is installed; None where there is none."""
        places = sys.path
        if self.environment:
            places = [str(place) for place in self._prefix.glob("lib/python3*/site-packages")]
        found = distributions(name=self.distribution, path=places)
        return next((distribution.version for distribution in found), None)

    @property
    def python(self) -> str:
        """The interpreter that `load` runs in."""
        return str(self._prefix / "bin" / "python") if self.environment else sys.executable

    @property
    def remedy(self) -> str:
        """What installs it."""
        return "make bench-peers" if self.environment else "make bench"

    @property
    def _prefix(self) -> Path:
        return Path(sys.prefix, "peers", self.environment)
