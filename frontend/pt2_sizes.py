"""Sizes of a .pt2 file that are open: formulas, which `torch.export.load` evaluates as Python.

    Mul(Integer(2), Symbol('s0', positive=True, integer=True))

So only text of sums, products and the like of symbols and numbers is handed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from niwaki.errors import NiwakiError

_SYMBOL = r"Symbol\('[su]\d+'(, (positive|nonnegative|integer)=True)*\)"
_NUMBER = r"Integer\(-?\d{1,18}\)"
_FUNCTION = (
    r"(Add|Mul|Max|Min|Mod|PythonMod|FloorDiv|CeilDiv|CleanDiv|Eq|Equality|Ne|Unequality|"
    r"GreaterThan|LessThan|StrictGreaterThan|StrictLessThan)\("
)
# Powers of powers could take all memory.
_POWER = rf"Pow\({_SYMBOL}, Integer\([2-4]\)\)"
_FORMULA = re.compile(rf"({_SYMBOL}|{_NUMBER}|{_POWER}|{_FUNCTION}|, |\))*")
_FROM_DATA = "Symbol('u"
_LONGEST = 2000


def check_sizes(path: Path, program: Any) -> None:
    """Refuse formulas in the JSON of a program, of file `path`, that are more than sizes."""
    for formula, is_place in _formulas(program):
        if isinstance(formula, str) and _FROM_DATA in formula and not is_place:
            raise NiwakiError(
                f"{path}: has sizes that depend on the data: use ops whose results have fixed "
                "sizes, such as torch.where"
            )
        is_short = isinstance(formula, str) and len(formula) <= _LONGEST
        if not is_short or not _FORMULA.fullmatch(formula):
            raise NiwakiError(
                f"{path}: has a size that may hold code: export the model again, with fixed sizes"
            )


def _formulas(value: Any, is_place: bool = False) -> Iterator[tuple[Any, bool]]:
    """All formulas, and whether each is but a place in memory, as of what a loop counts."""
    if isinstance(value, dict):
        if "expr_str" in value:
            yield value["expr_str"], is_place
        for name, child in value.items():
            yield from _formulas(child, is_place or name == "storage_offset")
    elif isinstance(value, list):
        for child in value:
            yield from _formulas(child, is_place)
