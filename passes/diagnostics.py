"""Errors and remarks as records with lines, and their comparison with `expected-...` comments.

// expected-error @+1 {{part of the message}}
// expected-remark @above {{part of the message}}
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.records import Remark

from .base import BrokenInvariant, PassFailure

EXPECTED = re.compile(r"//\s*expected-(error|remark)\s*(?:@(above|below|[+-]\d+))?\s*\{\{(.*?)\}\}")


@dataclass(frozen=True)
class Diagnostic:
    """A message about a line of the input (0 if unknown)."""

    severity: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.line}: {self.severity}: {self.message}"


def line_of(location: ir.Location) -> int:
    """First line a location names, however deep; 0 if it names none."""
    located = ir.Location.from_attr(location.attr)
    if isinstance(located, ir.FileLineColLoc):
        return int(located.start_line)
    if isinstance(located, ir.NameLoc):
        return line_of(located.child_loc)
    if isinstance(located, ir.CallSiteLoc):
        return line_of(located.callee)
    if isinstance(located, ir.FusedLoc):
        return next((line for inner in located.locations if (line := line_of(inner))), 0)
    return 0


def of_remark(remark: tuple[ir.Location, Remark]) -> Diagnostic:
    """A pass's remark."""
    location, text = remark
    return Diagnostic("remark", line_of(location), f"{text.pass_name}: {text.layer}: {text.reason}")


def of_error(failure: PassFailure | BrokenInvariant) -> Diagnostic:
    """A pass's refusal, or the bug that it found."""
    return Diagnostic("error", line_of(failure.location), str(failure))


def of_mlir_error(error: ir.MLIRError) -> list[Diagnostic]:
    """What MLIR's parser or a verifier reported."""
    return [
        Diagnostic("error", line_of(d.location), str(d.message)) for d in error.error_diagnostics
    ]


def expected_diagnostics(text: str) -> list[Diagnostic]:
    """The `expected-...` comments of a file; their messages are parts of the real ones."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        for severity, where, message in EXPECTED.findall(line):
            shift = {"": 0, "above": -1, "below": 1}.get(where)
            found.append(
                Diagnostic(severity, number + (int(where) if shift is None else shift), message)
            )
    return found


def compare(expected: Sequence[Diagnostic], found: Sequence[Diagnostic]) -> list[str]:
    """What is missing and what is unexpected, one line each; empty if all is as expected."""
    left = list(found)
    problems = []
    for want in expected:
        match = next(
            (
                d
                for d in left
                if (d.severity, d.line) == (want.severity, want.line) and want.message in d.message
            ),
            None,
        )
        if match is None:
            problems.append(
                f"{want.line}: expected {want.severity} was not produced: {want.message}"
            )
        else:
            left.remove(match)
    return [*problems, *(f"{d.line}: unexpected {d.severity}: {d.message}" for d in left)]
