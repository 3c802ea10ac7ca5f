"""What a scheme of pruning is, and how text names one: ``block_punched(filters=8, channels=4)``.

A scheme says which weights stay at a given rate. Its maths is numpy's (`niwaki.schemes`), the same
that the compiler finds schemes with; weights are viewed as ``W[F, C, T]``: filters of the whole
layer, input channels of one group, taps.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, ClassVar, TypeVar

from niwaki.errors import NiwakiError
from niwaki.schemes.base import Bools, SchemeError, Shape, Weights

from .blocks import Blocks

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

    def __str__(self) -> str:
        values = ", ".join(f"{field.name}={_text(self, field.name)}" for field in fields(self))
        return f"{self.name}({values})" if values else self.name


def _project(scheme: PruningScheme, rate: float, weights: Weights, groups: int) -> Bools:
    return scheme.mask(weights, rate, groups)


def _text(scheme: PruningScheme, field: str) -> str:
    value = getattr(scheme, field)
    return str(value).lower() if isinstance(value, bool) else str(value)


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
        return text
    found = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", text)
    if found is None or found[1] not in PRUNING_SCHEMES:
        raise NiwakiError(
            f"unknown pruning scheme '{text}': choose one of {', '.join(PRUNING_SCHEMES)}"
        )
    scheme = PRUNING_SCHEMES[found[1]]()
    given = [item.partition("=") for item in (found[2] or "").split(",") if item.strip()]
    return replace(
        scheme, **{name.strip(): _value(scheme, name.strip(), v.strip()) for name, _, v in given}
    )


def _value(scheme: PruningScheme, name: str, text: str) -> Any:
    """The value of a parameter, of the kind that its default has."""
    known = [field.name for field in fields(scheme)]
    if name not in known:
        takes = ", ".join(known) or "no parameters"
        raise NiwakiError(f"pruning scheme '{scheme.name}' takes {takes}, not '{name}'")
    default = getattr(scheme, name)
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}[text.lower()]
        return type(default)(text)
    except (KeyError, ValueError):
        kind = {bool: "true or false", int: "a whole number", float: "a number"}[type(default)]
        raise NiwakiError(
            f"pruning scheme '{scheme.name}': {name} is {kind}, not '{text}'"
        ) from None
