"""Loading the dialect: once in a context, in any number of contexts."""

from __future__ import annotations

import gc

import pytest
import torch_mlir.ir as ir

from niwaki import dialects

IDENTITY = "func.func @f() attributes {scheme = #sparse_pattern.block_punched<8, 64>} { return }"


def test_second_load_does_nothing() -> None:
    context = ir.Context()
    dialects.load(context)
    dialects.load(context)
    with context:
        assert "block_punched" in str(ir.Module.parse(IDENTITY))


def test_context_has_the_dialect_loaded() -> None:
    with dialects.context() as context:
        dialects.load(context)
        assert context.is_dialect_loaded("sparse_pattern")


def test_contexts_live_side_by_side() -> None:
    first, second = dialects.context(), dialects.context()
    for context in (first, second, first):
        with context, ir.Location.unknown():
            module = ir.Module.parse(IDENTITY)
            scheme = module.body.operations[0].attributes["scheme"]
            assert scheme == dialects.scheme_attr(scheme.scheme)


def test_loading_needs_no_current_context() -> None:
    context = ir.Context()
    dialects.load(context)
    assert ir.Context.current is None


def test_context_is_freed() -> None:
    """Loading keeps no reference: compiling many networks must not pile up contexts."""
    gc.collect()
    before = ir.Context._get_live_count()
    for _ in range(3):
        dialects.context()
    gc.collect()
    assert ir.Context._get_live_count() == before


def test_iree_ops_may_appear_unregistered() -> None:
    with dialects.context(), ir.Location.unknown():
        operation = ir.Operation.create("flow.dispatch", attributes={"a": ir.UnitAttr.get()})
        assert operation.verify()


def test_unknown_ops_of_the_dialect_may_not() -> None:
    with dialects.context(), pytest.raises(ir.MLIRError, match="unregistered operation"):
        ir.Module.parse('"sparse_pattern.unheard_of"() : () -> ()')
