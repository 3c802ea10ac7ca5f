"""Pattern libraries of whole networks: from trained weights, or by ADMM that halves them.

    library = network_library(model)                                # what its kernels look like
    prune(model, loader, scheme="pattern", method="halving", ...)   # 56 > 32 > 16 > 8 on the way

Training tells better than trained weights which patterns a network can live with: ADMM draws each
kernel to one of many candidates, those that few kernels choose go, and so on
(https://arxiv.org/abs/2001.07710).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from torch import nn

from niwaki.errors import NiwakiError
from niwaki.schemes import natural_library
from niwaki.schemes.pattern_library import Census, taps_of

from .admm import ADMM
from .budget import share_budget
from .layers import Layer, find_layers
from .method import arrays, register_method
from .patterns import FOUND, Pattern, library_text
from .scheme import PruningScheme
from .selection import Target


def network_library(
    model: nn.Module, taps: int = 4, patterns: int = 8, kernel_taps: int = 9, central: bool = True
) -> str:
    """One library for all kernels of a trained network, as text for ``pattern(library=...)``.

    Each kernel of `kernel_taps` taps votes for its `taps` largest weights, the one in the centre
    always among them with `central`; the most frequent sets are the library.

    Raises:
        NiwakiError: there are no such kernels, or they have no patterns of so many taps.
    """
    layers = [layer for layer in find_layers(model) if layer.shape[2] == kernel_taps]
    if not layers:
        raise NiwakiError(f"no layer has kernels of {kernel_taps} taps: there are no patterns")
    return _library(layers, taps, patterns, central)


@register_method
@dataclass
class Halving(ADMM):
    """ADMM that finds the library: each stage keeps the half of it that most kernels choose.

    It begins with the most frequent sets of strongest taps that have the one in the centre, as many
    as the scheme's patterns doubled for each later stage, or all there are: 56 of 4 taps in 3x3
    kernels. Layers with the same scheme whose kernels are equally large share a library.
    """

    rho: float = 1e-3
    stages: int = 4
    updates: int = 1

    name: ClassVar[str] = "halving"
    paper: ClassVar[str] = "https://arxiv.org/abs/2001.07710"

    _patterns: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    def refusal(self, scheme: PruningScheme) -> str | None:
        if isinstance(scheme, Pattern) and scheme.library in FOUND:
            return None
        return f"halving finds a library for the scheme pattern, and {scheme} takes none"

    def fit(self, targets: Sequence[Target]) -> list[Target]:
        for target in targets:
            if refusal := self.refusal(target.scheme):
                raise NiwakiError(f"{target.layer.name}: {refusal}: choose the method admm")
        self._patterns = {t.layer.name: _scheme(t).patterns for t in targets}
        candidates: dict[str, str] = {}
        for family in self._families(targets):
            first = family[0]
            most = self._size(first, stage=0)
            library = _library([t.layer for t in family], _scheme(first).taps, most, central=True)
            candidates |= {t.layer.name: library for t in family}
        found = [_with_library(target, candidates[target.layer.name]) for target in targets]
        return share_budget(found, arrays(found))

    def remove(self) -> None:
        self._halve(self.stages - 1)
        super().remove()

    def _update(self, stage: int) -> None:
        begins = stage > self._stage
        super()._update(stage)
        if begins:
            self._halve(stage)

    def _size(self, target: Target, stage: int) -> int:
        """Patterns of the library in a stage."""
        size: int = self._patterns[target.layer.name] * 2 ** (self.stages - 1 - stage)
        return size

    def _families(self, targets: Sequence[Target]) -> list[list[Target]]:
        """Targets that share a library."""
        families: dict[tuple[object, ...], list[Target]] = {}
        for target in targets:
            key = (target.layer.shape[2], target.scheme, self._patterns[target.layer.name])
            families.setdefault(key, []).append(target)
        return list(families.values())

    def _halve(self, stage: int) -> None:
        """Keep the patterns that most kernels choose; of equals the first."""
        splits = {split.layer.name: split for split in self._splits}
        halved: dict[str, str] = {}
        for family in self._families(self.targets):
            uses: Counter[str] = Counter()
            for target in family:
                layer = target.layer
                # The first set of `Pattern.projections`: each kernel's best pattern.
                census = Census.of(layer.array(splits[layer.name].held[0]) == 0)
                taps = taps_of(census.codes, layer.shape[2])
                for row, count in zip(taps, census.uses.tolist(), strict=True):
                    uses[library_text([np.flatnonzero(row).tolist()])] += count
            patterns = _scheme(family[0]).library.split("/")
            patterns.sort(key=lambda pattern: -uses[pattern])
            library = "/".join(patterns[: self._size(family[0], stage)])
            halved |= {target.layer.name: library for target in family}
        self.targets = [_with_library(t, halved[t.layer.name]) for t in self.targets]
        for target in self.targets:
            split = splits[target.layer.name]
            split.sets = self.sets(self._now(target))
            split.project()


def _scheme(target: Target) -> Pattern:
    assert isinstance(target.scheme, Pattern)  # `Halving.fit` takes no others
    return target.scheme


def _with_library(target: Target, library: str) -> Target:
    patterns = library.count("/") + 1
    return replace(target, scheme=replace(_scheme(target), library=library, patterns=patterns))


def _library(layers: Sequence[Layer], taps: int, patterns: int, central: bool) -> str:
    """The most frequent patterns of the kernels of all layers together."""
    kernels = [layer.array(layer.weight).reshape(-1, 1, layer.shape[2]) for layer in layers]
    return library_text(natural_library(np.concatenate(kernels), taps, patterns, central))
