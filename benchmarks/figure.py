"""Single numbers that are measured on their own, not side by side."""

from __future__ import annotations

from dataclasses import dataclass

MEGA = 1e6


@dataclass(frozen=True)
class Figure:
    """A number, and the bound that it should keep, if any."""

    name: str
    value: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def is_reached(self) -> bool | None:
        """None where nothing was promised."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most

    @property
    def wanted(self) -> str:
        """For example ``at most 2``; empty where nothing was promised."""
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return "" if self.at_most is None else f"at most {self.at_most:g}"
