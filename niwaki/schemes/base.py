"""What a scheme of sparsity is, and the registry that finds one by its name.

Weights are viewed as ``W[F, C, T]``: filters of the whole layer, input channels of one group, and
taps (kernel positions; 1 for linear and 1x1 layers). A scheme says which positions it has to store
so that no nonzero is lost.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import NiwakiError

Shape = tuple[int, int, int]
Bools = npt.NDArray[np.bool_]
Weights = npt.NDArray[Any]

# Offsets into packed weights are 32-bit, in the bundle and in the kernels.
MOST_WEIGHTS = 2**31 - 1


class SchemeError(NiwakiError):
    """Weights and a scheme do not fit together; the caller puts the layer's name in front."""


def check_shape(shape: tuple[int, ...], groups: int = 1) -> Shape:
    """The shape as filters, channels and taps.

    Raises:
        SchemeError: not three dimensions, an empty one, more weights than 32-bit offsets reach, or
            filters that do not divide into `groups`.
    """
    text = "x".join(map(str, shape))
    if len(shape) != 3:
        raise SchemeError(
            f"weights must be filters x channels x taps, not {text or 'a scalar'}: reshape them"
        )
    filters, channels, taps = shape
    if 0 in shape:
        raise SchemeError(
            f"weights of shape {text} (filters x channels x taps) are empty: remove the layer"
        )
    if filters * channels * taps > MOST_WEIGHTS:
        raise SchemeError(
            f"weights of shape {text} are more than 32-bit offsets reach: split the layer"
        )
    if groups < 1 or filters % groups:
        raise SchemeError(f"{filters} filters do not divide into {groups} groups")
    return filters, channels, taps


def check_rate(rate: float) -> None:
    """Raises SchemeError when `rate`, all / kept, is below 1."""
    if not rate >= 1:
        raise SchemeError(f"a pruning rate is at least 1 (8 keeps one weight in 8), not {rate}")


@dataclass(frozen=True)
class Scheme(ABC):
    """One way in which zeros are laid out; its parameters are the fields of a frozen dataclass.

    Blocks of filters never straddle the groups of a grouped convolution: methods take `groups`.

    Class attributes:
        name: what attributes, reports and `get_scheme` call it.
        rank: of schemes that cost the same, detection takes the one of lowest rank.
    """

    name: ClassVar[str]
    rank: ClassVar[int]

    @classmethod
    def propose(cls, nonzero: Bools, groups: int, slack: float) -> Iterator[Scheme]:
        """Instances that detection should weigh for these zeros, simplest first.

        `slack`: share of weights that may be stored in excess for the sake of a simpler instance.
        """
        yield from ()

    @abstractmethod
    def filters_per_block(self, shape: Shape, groups: int = 1) -> int:
        """How many consecutive filters share a list of columns (channel, tap); dense: a group's."""

    @abstractmethod
    def describe(self) -> str:
        """How weights are kept, to follow "12.5 % kept"."""

    @abstractmethod
    def _mask(self, nonzero: Bools) -> Bools:
        """`mask` of ``bool[groups, filters of a group, C, T]``."""

    def parameters(self) -> dict[str, int]:
        """Parameters by name, in order."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __str__(self) -> str:
        values = "x".join(map(str, self.parameters().values()))
        return f"{self.name}({values})" if values else self.name

    def check_parameters(self) -> None:  # noqa: B027 - most schemes have nothing to check
        """Raises SchemeError when the parameters fit no weights at all."""

    def verify(self, nonzero: Bools, groups: int = 1) -> None:
        """Raises SchemeError when the scheme cannot hold the weights where `nonzero` is true."""
        if nonzero.dtype != np.bool_:
            raise SchemeError(
                f"expected booleans that are true where weights are nonzero, not {nonzero.dtype}"
            )
        check_shape(nonzero.shape, groups)
        self.check_parameters()

    def mask(self, nonzero: Bools, groups: int = 1) -> Bools:
        """Positions ``bool[F, C, T]`` to store: the smallest set that covers ``nonzero[F, C, T]``.

        Raises:
            SchemeError: as `verify` does.
        """
        self.verify(nonzero, groups)
        filters, channels, taps = nonzero.shape
        grouped = nonzero.reshape(groups, filters // groups, channels, taps)
        return self._mask(grouped).reshape(nonzero.shape)

    def stored(self, nonzero: Bools, groups: int = 1) -> int:
        """How many weights the scheme stores, zeros inside its blocks included."""
        return int(np.count_nonzero(self.mask(nonzero, groups)))

    def computed(self, nonzero: Bools, groups: int = 1) -> int:
        """How many weights kernels multiply by, in blocks of `filters_per_block` filters.

        More than `stored` where filters of a block keep different columns.
        """
        return self.stored(nonzero, groups)

    def density(self, nonzero: Bools, groups: int = 1) -> float:
        """Stored weights / all weights."""
        return self.stored(nonzero, groups) / nonzero.size


SCHEMES: dict[str, type[Scheme]] = {}
SchemeType = TypeVar("SchemeType", bound=type[Scheme])


def register(scheme: SchemeType) -> SchemeType:
    """Class decorator: detection proposes the scheme and `get_scheme` finds it.

    Raises:
        SchemeError: another scheme has its name.
    """
    if scheme.name in SCHEMES:
        raise SchemeError(f"two schemes are called '{scheme.name}': rename {scheme.__qualname__}")
    SCHEMES[scheme.name] = scheme
    return scheme


def get_scheme(name: str, parameters: Mapping[str, int] | None = None) -> Scheme:
    """The scheme called `name`, e.g. ``("block_punched", {"filters": 8, "channels": 4})``.

    Raises:
        SchemeError: no scheme has that name, it takes other parameters, or values fit no weights.
    """
    if name not in SCHEMES:
        raise SchemeError(f"unknown scheme '{name}': choose one of {', '.join(sorted(SCHEMES))}")
    given = dict(parameters or {})
    expected = [field.name for field in fields(SCHEMES[name])]
    if sorted(given) != sorted(expected):
        takes, got = ", ".join(expected) or "no parameters", ", ".join(given) or "none"
        raise SchemeError(f"scheme '{name}' takes {takes}, not {got}")
    scheme = SCHEMES[name](**given)
    scheme.check_parameters()
    return scheme
