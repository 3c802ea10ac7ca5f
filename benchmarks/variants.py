"""One network compiled in several ways: with a pass left out, or with lower tiles."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

SELECT = "sparse-pattern-select-kernels"
TRIALS = 12  # kernels that tuning measures of each layer, two seconds each


class NotAvailable(Exception):
    """This version of Niwaki has no such pass or option."""


@dataclass(frozen=True)
class Variant:
    """A way to compile.

    Attributes:
        name: as tables show it.
        without: a pass that is left out.
        tiles: options of the pass that selects kernels.
        tune: whether tiles are found by measuring.
    """

    name: str
    without: str = ""
    tiles: str = ""
    tune: bool = False

    def compile(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        """Write the bundle to `path`.

        Raises:
            NotAvailable: there is no such pass or option.
        """
        import niwaki
        from niwaki.passes.pipelines import OPTIONAL, compile_pipeline
        from niwaki.targets import get_target

        if self.without and self.without not in OPTIONAL:
            raise NotAvailable(f"no pass '{self.without}' to leave out")
        if self.tune and "tune" not in inspect.signature(niwaki.compile).parameters:
            raise NotAvailable("nothing tunes tiles")
        pipeline = compile_pipeline(get_target("host"))
        if self.tiles:
            pipeline = pipeline.replace(SELECT, f"{SELECT}{{{self.tiles}}}")
        options: dict[str, Any] = {"tune": niwaki.Tuning(trials=TRIALS)} if self.tune else {}
        without = [self.without] if self.without else []
        niwaki.compile(model, image, output=path, pipeline=pipeline, without=without, **options)


AS_IT_IS = Variant("as it is")
ONE_FILTER = Variant("no load shared", tiles="max-filters=1")
