"""Studies: which point of a space is best, within limits that are known before anything is trained.

    space = {"width": Choice(16, 24, 32), "depth": Integer(1, 8), "rate": Real(1, 16, log=True)}
    niwaki.search(space, train, evaluate, [Limit("ms", 5.0, milliseconds)])

`niwaki.search` is in `study.py`.
"""

from __future__ import annotations

from .controller import Controller
from .limits import Limit
from .results import Results, Trial, hypervolume
from .samplers import over_limits
from .space import Choice, Integer, Point, Real

__all__ = [
    "Choice",
    "Controller",
    "Integer",
    "Limit",
    "Point",
    "Real",
    "Results",
    "Trial",
    "hypervolume",
    "over_limits",
]
