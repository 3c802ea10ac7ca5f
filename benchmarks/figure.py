"""Single numbers that are measured on their own, not side by side."""

from __future__ import annotations

from dataclasses import dataclass

MEGA = 1e6


@dataclass(frozen=True)
class Figure:
    """A number, and what it should not exceed, if anything."""

    name: str
    value: float
    unit: str = ""
    at_most: float | None = None

    @property
    def is_reached(self) -> bool | None:
        """None where nothing was promised."""
        return None if self.at_most is None else self.value <= self.at_most
