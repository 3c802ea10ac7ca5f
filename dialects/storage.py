"""The arrays of packed weights, by name, wherever they are.

They are numpy arrays where weights are packed, operands of a packed op, and memrefs in a kernel.
The modules of the packed ops say what is in them.
"""

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Generic, TypeVar

Array = TypeVar("Array")


@dataclass(frozen=True)
class NoArrays(Generic[Array]):
    """Of what has no weights."""


@dataclass(frozen=True)
class Values(Generic[Array]):
    """Weights that are all there, in an order that the kernel knows."""

    values: Array


@dataclass(frozen=True)
class Blocks(Generic[Array]):
    """Blocks of filters that share columns, see `packed.py`."""

    values: Array
    offsets: Array
    blocks: Array


@dataclass(frozen=True)
class Stream(Generic[Array]):
    """Blocks of filters with all that belongs to them in one array, see `packed_stream.py`.

    Kernels see it in lines of `LANES` words.
    """

    LANES: ClassVar[int] = 4
    words: Array


@dataclass(frozen=True)
class Patterns(Generic[Array]):
    """Kernels with patterns, see `packed_pattern.py`."""

    values: Array
    filters: Array
    counts: Array
    starts: Array


@dataclass(frozen=True)
class Attended(Generic[Array]):
    """What queries attend to, see `attention.py`: no weights, but computed as queries are."""

    key: Array
    value: Array


@dataclass(frozen=True)
class AttendedInOne(Generic[Array]):
    """`Attended` in one array, for kernels with few buffers."""

    both: Array

    @property
    def key(self) -> Array:
        """Where keys are."""
        return self.both

    @property
    def value(self) -> Array:
        """Where values are."""
        return self.both


@dataclass(frozen=True)
class Positions(Generic[Array]):
    """What a `take` takes, see `take.py`: positions of all dimensions, one behind the other."""

    positions: Array


def listed(arrays: Any) -> list[Any]:
    """The arrays of one of these classes, in order."""
    return [getattr(arrays, field.name) for field in fields(arrays)]


def arrays_of(op: Any, storage: Any) -> Any:
    """The operands of a packed op that are the arrays of class `storage`."""
    return storage(*(getattr(op, field.name) for field in fields(storage)))
