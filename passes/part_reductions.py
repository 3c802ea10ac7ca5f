"""Keep IREE from joining a reduction of outer dimensions with what reads its result, on GPUs.

    %mean = linalg.generic {reduces the channels} ...
    %y = linalg.generic ins(%x, %mean)
      -->
    %mean = linalg.generic {reduces the channels} ...
    %alone = "util.optimization_barrier"(%mean)
    %y = linalg.generic ins(%x, %alone)

Joined in one shader they give wrong numbers: softmax over channels, or values less their mean.
Where the last dimensions are reduced, as in most norms, IREE is right and may join them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import linalg

from .barriers import set_apart
from .base import ModulePass, Session, function_ops, target_of
from .raising.maps import iterators_of, maps_of


@dataclass(frozen=True)
class PartReductionsPass(ModulePass):
    """Barriers behind reductions of outer dimensions."""

    name: ClassVar[str] = "sparse-pattern-part-reductions"

    def run(self, module: Any, session: Session) -> None:
        if target_of(module).backend != "gpu":
            return
        for op in list(function_ops(module)):
            if isinstance(op, linalg.GenericOp) and reduces_outer(op):
                for result in op.results:
                    set_apart(result)


def reduces_outer(op: Any) -> bool:
    """Whether a dimension is reduced that has others behind it in what is read."""
    kinds = iterators_of(op)
    read = [
        kinds[expression.position]
        for expression in maps_of(op)[0].results
        if isinstance(expression, ir.AffineDimExpr)
    ]
    return "reduction" in read and "parallel" in read[read.index("reduction") :]
