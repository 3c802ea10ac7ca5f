"""`niwaki::recurrent`: a recurrent layer in one direction, on its way from either frontend.

y, last = niwaki::recurrent(inputs, weight, states, lengths, per_unit, '{"kind": "gru", ...}')
  -->
%y, %last = "sparse_pattern.recurrent"(%inputs, %weight, %states, ...) ({ the cell })
"""

from __future__ import annotations

from collections.abc import Sequence

from torch_mlir import ir

from niwaki import schemes
from niwaki.dialects import build_recurrent, scheme_attr
from niwaki.frontend.recurrent_cells import cell_of
from niwaki.frontend.set_aside import Held


def make_recurrent(held: Held, operands: Sequence[ir.Value | None]) -> Sequence[ir.Value]:
    """A `recurrent`; its options are those of its cell, and `reverse`."""
    inputs, weight, states, lengths, per_unit = operands
    assert inputs is not None
    assert weight is not None
    assert states is not None
    cell = cell_of(held.options)
    made = build_recurrent(
        inputs,
        weight,
        states,
        lengths,
        per_unit,
        cell.code,
        reverse=held.options["reverse"],
        late=cell.late,
        scheme=scheme_attr(schemes.Dense()),
    )
    return [made.result, made.last]
