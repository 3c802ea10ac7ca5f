"""Element types are data: what the numbers in weights and activations are.

How a machine computes with them is the target's to say (`Target.vector`).
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import NiwakiError


@dataclass(frozen=True)
class Element:
    """A type of numbers.

    Attributes:
        name: as MLIR spells it.
        bytes: of one in memory.
        largest: finite number.
        precision: bits of a number's fraction, the leading one included.
    """

    name: str
    bytes: int
    largest: float
    precision: int


F32 = Element("f32", 4, 3.4028234663852886e38, 24)
F16 = Element("f16", 2, 65504.0, 11)
ELEMENTS: dict[str, Element] = {element.name: element for element in (F32, F16)}


def get_element(name: str) -> Element:
    """The element type called `name`.

    Raises:
        NiwakiError: there is none.
    """
    if name not in ELEMENTS:
        raise NiwakiError(f"unknown precision '{name}': choose one of {', '.join(ELEMENTS)}")
    return ELEMENTS[name]
