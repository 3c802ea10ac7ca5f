"""Loops and branches of kernels, with and without values that they carry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import scf

from .indices import Index, as_value


@contextmanager
def for_range(begin: Any, end: Any, step: int = 1) -> Iterator[Index]:
    """A loop without carried values: ``with for_range(0, n) as i: ...``."""
    loop = scf.ForOp(as_value(begin), as_value(end), as_value(step))
    with ir.InsertionPoint(loop.body):
        yield Index(loop.induction_variable)
        scf.yield_([])


def fold_range(
    begin: Any,
    end: Any,
    start: Sequence[ir.Value],
    body: Callable[[Index, list[ir.Value]], Sequence[ir.Value]],
    step: int = 1,
) -> list[ir.Value]:
    """A loop that carries values: `body(i, carried)` gives the next ones; returns the last."""
    loop = scf.ForOp(as_value(begin), as_value(end), as_value(step), list(start))
    with ir.InsertionPoint(loop.body):
        scf.yield_(list(body(Index(loop.induction_variable), list(loop.inner_iter_args))))
    return list(loop.results)


@contextmanager
def when(condition: ir.Value) -> Iterator[None]:
    """Code that runs only if an i1 holds."""
    branch = scf.IfOp(condition)
    with ir.InsertionPoint(branch.then_block):
        yield
        scf.yield_([])


def when_else(condition: ir.Value, yes: Callable[[], None], no: Callable[[], None]) -> None:
    """One of two pieces of code, depending on an i1."""
    branch = scf.IfOp(condition, has_else=True)
    for block, code in ((branch.then_block, yes), (branch.else_block, no)):
        with ir.InsertionPoint(block):
            code()
            scf.yield_([])


def choose(
    condition: ir.Value, kind: ir.Type, yes: Callable[[], ir.Value], no: Callable[[], ir.Value]
) -> ir.Value:
    """The number of one of two pieces of code, depending on an i1; the other does not run."""
    return _choose_all(condition, [kind], lambda: [yes()], lambda: [no()])[0]


def only_if(
    condition: ir.Value,
    change: Callable[[list[ir.Value]], Sequence[ir.Value]],
    values: list[ir.Value],
) -> list[ir.Value]:
    """What code makes of values where an i1 holds; themselves elsewhere."""
    kinds = [value.type for value in values]
    return _choose_all(condition, kinds, lambda: change(values), lambda: values)


def _choose_all(
    condition: ir.Value,
    kinds: Sequence[ir.Type],
    yes: Callable[[], Sequence[ir.Value]],
    no: Callable[[], Sequence[ir.Value]],
) -> list[ir.Value]:
    branch = scf.IfOp(condition, list(kinds), has_else=True)
    for block, code in ((branch.then_block, yes), (branch.else_block, no)):
        with ir.InsertionPoint(block):
            scf.yield_(list(code()))
    return list(branch.results)
