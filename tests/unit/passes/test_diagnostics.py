"""Lines of locations, names of layers, and comparing what was diagnosed with what was expected."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch_mlir.ir as ir

from niwaki.passes.base import layer_name
from niwaki.passes.diagnostics import Diagnostic, compare, expected_diagnostics, line_of


@pytest.fixture(autouse=True)
def context() -> Iterator[None]:
    with ir.Context():
        yield


@pytest.mark.parametrize(
    ("location", "line", "name"),
    [
        ('"net.py":7:3', 7, "7:3"),
        ('"conv1"', 0, "conv1"),
        ('"conv1"("net.py":7:3)', 7, "conv1"),
        ('"outer"("inner"("net.py":7:3))', 7, "outer"),
        ('callsite("conv1"("net.py":7:3) at "net.py":9:1)', 7, "conv1"),
        ('fused["net.py":7:3, "conv1"]', 7, "7:3"),
        ('fused[unknown, "conv1"("net.py":7:3)]', 7, "conv1"),
        ("fused[unknown]", 0, "unknown"),
        ("unknown", 0, "unknown"),
    ],
)
def test_locations(location: str, line: int, name: str) -> None:
    module = ir.Module.parse(f"module {{}} loc({location})")
    assert line_of(module.operation.location) == line
    assert layer_name(module.operation.location) == name


def test_expectations() -> None:
    text = """// expected-error {{here}}
// expected-error @+2 {{two down}}   // expected-remark@above {{one up}}
// expected-error @-1 {{one up}} {{not this}}
// expected-remark   @below   {{a {b} c}}
// expected-warning @+1 {{MLIR's Python bindings give none}}
expected-error {{no comment}}
"""
    assert expected_diagnostics(text) == [
        Diagnostic("error", 1, "here"),
        Diagnostic("error", 4, "two down"),
        Diagnostic("remark", 1, "one up"),
        Diagnostic("error", 2, "one up"),
        Diagnostic("remark", 5, "a {b} c"),
    ]


def test_comparison() -> None:
    found = [Diagnostic("error", 3, "'conv' op has no filters"), Diagnostic("remark", 3, "dense")]
    assert compare(found, found) == []
    assert compare([Diagnostic("error", 3, "no filters")], found[:1]) == []
    assert compare([Diagnostic("error", 4, "no filters")], found[:1]) == [
        "4: expected error was not produced: no filters",
        "3: unexpected error: 'conv' op has no filters",
    ]
    assert compare([Diagnostic("remark", 3, "no filters")], found) == [
        "3: expected remark was not produced: no filters",
        "3: unexpected error: 'conv' op has no filters",
        "3: unexpected remark: dense",
    ]
