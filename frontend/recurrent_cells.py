"""What a GRU, an LSTM or an RNN computes for one unit at one step, as scalar code.

Gates come in PyTorch's order, whichever frontend a layer is from: r z n of a GRU (reset, update,
new) and i f g o of an LSTM (input, forget, cell, output). So one network makes one kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch_mlir import ir
from torch_mlir.dialects import arith

from niwaki.frontend.cell_functions import FUNCTIONS, bounded, number


@dataclass(frozen=True)
class Cell:
    """The options of a cell.

    Attributes:
        kind: `rnn`, `gru` or `lstm`.
        functions: activations, each a name and its factors: of the gates; of a GRU's or an LSTM's
            new values; of what an LSTM gives.
        clip: bounds what activations of gates read; None: nothing does.
        reset_after: a GRU resets the new gate's product and not the state; its number per unit, if
            there is one, is what the product has as its bias.
        input_forget: an LSTM forgets as much as it takes in.

    An LSTM's numbers per unit are peepholes of i, f and o.
    """

    kind: str
    functions: Sequence[Sequence[Any]]
    clip: float | None = None
    reset_after: bool = True
    input_forget: bool = False

    @property
    def late(self) -> int:
        """How many gates multiply what others have made: see `recurrent`."""
        return int(self.kind == "gru" and not self.reset_after)

    def code(self, arguments: Sequence[ir.Value]) -> list[ir.Value]:
        """The code for a block's arguments: its next states, and what late gates multiply."""
        return _KINDS[self.kind](self, arguments)

    def gate(self, which: int, *addends: ir.Value) -> ir.Value:
        """An activation of a sum."""
        total = addends[0]
        for addend in addends[1:]:
            total = arith.addf(total, addend)
        return self.activate(which, total if self.clip is None else bounded(total, self.clip))

    def activate(self, which: int, x: ir.Value) -> ir.Value:
        name, *factors = self.functions[which]
        return FUNCTIONS[name](x, *factors)


def cell_of(options: Mapping[str, Any]) -> Cell:
    """The cell that an op of ours is told to have, among other things."""
    return Cell(**{name: options[name] for name in Cell.__dataclass_fields__ if name in options})


def _rnn(cell: Cell, arguments: Sequence[ir.Value]) -> list[ir.Value]:
    product, given, _ = arguments
    return [cell.gate(0, given, product)]


def _gru(cell: Cell, arguments: Sequence[ir.Value]) -> list[ir.Value]:
    """ONNX's z h + (1 - z) n."""
    r_product, z_product, n_product, r_input, z_input, n_input, *bias, state = arguments
    r = cell.gate(0, r_input, r_product)
    z = cell.gate(0, z_input, z_product)
    if cell.reset_after:
        n_product = arith.mulf(r, arith.addf(n_product, bias[0]) if bias else n_product)
    n = cell.gate(1, n_input, n_product)
    new = arith.addf(arith.mulf(_complement(z), n), arith.mulf(z, state))
    return [new] if cell.reset_after else [new, arith.mulf(r, state)]


def _lstm(cell: Cell, arguments: Sequence[ir.Value]) -> list[ir.Value]:
    """ONNX Runtime clips no cell, and PyTorch nothing."""
    products, inputs, (*peepholes, _, old) = arguments[:4], arguments[4:8], arguments[8:]
    i, f, g, o = map(arith.addf, inputs, products)

    def seen(gate: ir.Value, which: int, state: ir.Value) -> ir.Value:
        return arith.addf(gate, arith.mulf(peepholes[which], state)) if peepholes else gate

    i = cell.gate(0, seen(i, 0, old))
    f = _complement(i) if cell.input_forget else cell.gate(0, seen(f, 1, old))
    new = arith.addf(arith.mulf(f, old), arith.mulf(i, cell.gate(1, g)))
    o = cell.gate(0, seen(o, 2, new))
    return [arith.mulf(o, cell.activate(2, new)), new]


def _complement(x: ir.Value) -> ir.Value:
    return arith.subf(number(1, x), x)


_KINDS: dict[str, Callable[[Cell, Sequence[ir.Value]], list[ir.Value]]] = {
    "gru": _gru,
    "lstm": _lstm,
    "rnn": _rnn,
}
