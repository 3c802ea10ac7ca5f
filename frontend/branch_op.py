"""`niwaki::branch`: a choice that depends on data, on its way from either frontend.

y, z = niwaki::branch(c, x, r, '{"yes": "branch_0", "no": "branch_1"}')
  -->
%y, %z = scf.if %c { func.call @branch_0(%x, %r) } else { func.call @branch_1(%x, %r) }

Both bodies are functions of the module, of the same tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch_mlir import ir
from torch_mlir.dialects import scf

from niwaki.frontend.body_calls import call_body, number
from niwaki.frontend.set_aside import Held

NAME = "branch"


@dataclass(frozen=True)
class BranchOptions:
    """Which body is run where the condition is true, and which one elsewhere."""

    yes: str
    no: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def make_branch(held: Held, operands: Sequence[ir.Value | None]) -> Sequence[ir.Value]:
    """The choice. Operands are the condition and what bodies read."""
    options = BranchOptions(**held.options["branch"])
    condition, *read = (value for value in operands if value is not None)
    made = scf.IfOp(number(condition), list(held.results), has_else=True)
    for block, body in ((made.then_block, options.yes), (made.else_block, options.no)):
        with ir.InsertionPoint(block):
            scf.YieldOp(call_body(body, held.results, read))
    return list(made.results)
