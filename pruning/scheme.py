"""What a scheme of pruning is, and how text names one: ``block_punched(filters=8, channels=4)``.

A scheme says which weights stay at a given rate. Its maths is numpy's (`niwaki.schemes`), the same
that the compiler finds schemes with; weights are viewed as ``W[F, C, T]``: filters of the whole
layer, input channels of one group, taps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeVar

import torch

from niwaki.schemes.base import Bools, SchemeError, Shape, Weights

from .blocks import Blocks
from .named import check_fields, parse_named, text_of

Projection = Callable[[Weights, int], Bools]


@dataclass(frozen=True)
class PruningScheme(ABC):
    """One way to lay out zeros; its parameters are the fields of a frozen dataclass.

    Rates are all weights / kept weights.

    Class attributes:
        name: what text calls it.
        paper: where it comes from.
    """

    name: ClassVar[str]
    paper: ClassVar[str]

    @abstractmethod
    def mask(self, weights: Weights, rate: float, groups: int = 1) -> Bools:
        """What stays: the Euclidean projection of ``weights[F, C, T]`` onto the scheme's set.

        On the way to a rate that the scheme can reach, smaller ones give the nearest that there is.
        """

    @abstractmethod
    def kept(self, shape: Shape, groups: int, rate: float) -> int:
        """How many of the units that compete with each other stay; what must not be 0."""

    def check(self, shape: Shape, groups: int, rate: float) -> None:
        """Raises SchemeError when the scheme does not fit such a layer, or not at this rate."""
        if not rate >= 1:
            raise SchemeError(f"a pruning rate is at least 1 (8 keeps one weight in 8), not {rate}")
        if self.kept(shape, groups, rate) < 1:
            raise SchemeError(f"{self} at a rate of {rate:g} keeps nothing: choose a smaller rate")

    def fit(self, weights: Weights) -> PruningScheme:
        """The scheme with what it learns from the layer's trained weights, once, before pruning."""
        return self

    def projections(self, rate: float) -> tuple[Projection, ...]:
        """Onto the sets whose intersection is the scheme's; ADMM has auxiliary weights for each."""
        return (partial(_project, self, rate),)

    def blocks(self, shape: Shape, groups: int) -> tuple[Blocks, ...]:
        """The weights that are kept or removed together, for regularisation; none: impossible."""
        return ()

    def scores(self, weights: Weights, groups: int) -> tuple[Weights, ...]:
        """What each unit that may stay is worth, as energy of a weight; a family of units each.

        None where rates are fixed, so that layers cannot compete.
        """
        tensor = torch.from_numpy(weights).double()
        return tuple(
            (blocks.energies(tensor) / blocks.counts(tensor)).flatten().numpy()
            for blocks in self.blocks(weights.shape, groups)
        )

    def __str__(self) -> str:
        return text_of(self.name, self)


def _project(scheme: PruningScheme, rate: float, weights: Weights, groups: int) -> Bools:
    return scheme.mask(weights, rate, groups)


PRUNING_SCHEMES: dict[str, type[PruningScheme]] = {}
SchemeType = TypeVar("SchemeType", bound=type[PruningScheme])


def register(scheme: SchemeType) -> SchemeType:
    """Class decorator: text may name the scheme."""
    PRUNING_SCHEMES[scheme.name] = scheme
    return scheme


def parse_scheme(text: str | PruningScheme) -> PruningScheme:
    """The scheme that text names, with its parameters or without: ``pattern(filters=4)``.

    Raises:
        NiwakiError: no such scheme or parameter, or a value of the wrong kind.
    """
    if isinstance(text, PruningScheme):
        check_fields(text, f"pruning scheme '{text.name}'")
        return text
    return parse_named(text, PRUNING_SCHEMES, "pruning scheme")
