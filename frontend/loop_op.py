"""`niwaki::loop`: a loop that stays one, on its way from either frontend.

y, all = niwaki::loop(n, goes_on, x, r, '{"body": "loop_0", "carried": 1, ...}')
  -->
%y, %all = scf.while (%i = 0, %c = goes_on, %h = x, %a = empty) { %i < n and %c } do {
  %c, %z, %part = func.call @loop_0(%i, %h, %r)       the body is a function of the module
  %a = tensor.insert_slice %part into %a[%i]
}

Where nothing but the number of turns ends it, it is an `scf.for`: the host need not wait for a
condition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch_mlir import ir
from torch_mlir.dialects import arith, scf, tensor

from niwaki.frontend.body_calls import call_body, number
from niwaki.frontend.set_aside import Held

NAME = "loop"
ENDLESS = 2**63 - 1  # turns of a loop that a condition ends

# Gets the turn, a condition and what is carried, and gives the next condition and that.
Step = Callable[[ir.Value, Sequence[ir.Value]], "tuple[ir.Value | None, list[ir.Value]]"]


@dataclass(frozen=True)
class LoopOptions:
    """What a loop is told besides its number of turns, its condition and tensors.

    Attributes:
        body: a function of the turn, what is carried and what is read besides; it gives whether
            there is another turn, what is carried on and parts of what is collected.
        carried: how many tensors each turn gives to the next.
        turns: how many there are at most; None: an operand says so.
        conditional: whether the body says if there is another turn.
        numbered: whether the body gets the turn.
    """

    body: str
    carried: int
    turns: int | None
    conditional: bool
    numbered: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def make_loop(held: Held, operands: Sequence[ir.Value | None]) -> Sequence[ir.Value]:
    """The loop. Operands are the number of turns, a condition, what is carried and what is read."""
    options = LoopOptions(**held.options["loop"])
    length, condition, *tensors = operands
    given: list[ir.Value] = [value for value in tensors if value is not None]
    carried, read = given[: options.carried], given[options.carried :]
    rooms = [tensor.EmptyOp(k.shape, k.element_type).result for k in held.results[len(carried) :]]
    wanted = [value.type for value in carried]

    def step(turn: ir.Value, values: Sequence[ir.Value]) -> tuple[ir.Value | None, list[ir.Value]]:
        passed = [*([_as_tensor(turn)] if options.numbered else []), *values[: len(carried)], *read]
        kinds = [*([_flag()] if options.conditional else []), *wanted, *map(_part, rooms)]
        results = call_body(options.body, kinds, passed)
        goes_on = number(results.pop(0)) if options.conditional else None
        parts = zip(values[len(carried) :], results[len(carried) :], strict=True)
        filled = [_inserted(part, room, turn) for room, part in parts]
        return goes_on, [*results[: len(carried)], *filled]

    last = _index(number(length)) if length is not None else _constant(options.turns or 0)
    begins = [*carried, *rooms]
    if options.conditional:
        first = _true() if condition is None else number(condition)
        return _while(last, first, begins, step)
    return _for(last, begins, step)


def _for(last: ir.Value, begins: Sequence[ir.Value], step: Step) -> Sequence[ir.Value]:
    made = scf.ForOp(_constant(0), last, _constant(1), list(begins))
    with ir.InsertionPoint(made.body):
        _, values = step(made.induction_variable, list(made.inner_iter_args))
        scf.YieldOp(values)
    return list(made.results)


def _while(
    last: ir.Value, first: ir.Value, begins: Sequence[ir.Value], step: Step
) -> Sequence[ir.Value]:
    """A loop that also ends where a turn says so.

    It carries conditions as wide as all its numbers: IREE 3.13 puts narrower ones in the place of
    wider ones, and then goes on or ends as it likes.
    """
    given = [_constant(0), _widened(first), *begins]
    kinds = [value.type for value in given]
    made = scf.WhileOp(kinds, given)
    locations = [value.location for value in given]
    entry = made.before.blocks.append(*kinds, arg_locs=locations)
    with ir.InsertionPoint(entry):
        turn, goes_on, *_ = entry.arguments
        more = arith.CmpIOp(arith.CmpIPredicate.slt, turn, last).result
        wanted = arith.CmpIOp(arith.CmpIPredicate.ne, goes_on, _constant(0)).result
        scf.ConditionOp(arith.AndIOp(more, wanted).result, list(entry.arguments))
    after = made.after.blocks.append(*kinds, arg_locs=locations)
    with ir.InsertionPoint(after):
        turn, before, *values = after.arguments
        goes_on, new = step(turn, values)
        assert goes_on is not None, "only conditional loops get here"
        # It goes on already. But IREE 3.13 takes a loop for broken whose body reads less than its
        # condition gets, as where it is known to be false.
        both = arith.AndIOp(before, _opaque(_widened(goes_on))).result
        scf.YieldOp([arith.AddIOp(turn, _constant(1)).result, both, *new])
    return list(made.results)[2:]


def _part(room: ir.Value) -> ir.Type:
    """The type of what one turn puts into a room."""
    kind = ir.RankedTensorType(room.type)
    return ir.RankedTensorType.get(kind.shape[1:], kind.element_type)


def _inserted(part: ir.Value, room: ir.Value, turn: ir.Value) -> ir.Value:
    sizes = ir.RankedTensorType(part.type).shape
    offsets = [ir.ShapedType.get_dynamic_size(), *[0] * len(sizes)]
    ones = [1] * len(offsets)
    return tensor.InsertSliceOp(part, room, [turn], [], [], offsets, [1, *sizes], ones).result


def _widened(condition: ir.Value) -> ir.Value:
    """1 where a condition is true, else 0."""
    return arith.SelectOp(condition, _constant(1), _constant(0)).result


def _opaque(value: ir.Value) -> ir.Value:
    """The same number, of which nothing is known."""
    return ir.Operation.create("util.optimization_barrier", [value.type], [value]).result


def _index(value: ir.Value) -> ir.Value:
    return arith.IndexCastOp(ir.IndexType.get(), value).result


def _as_tensor(turn: ir.Value) -> ir.Value:
    """The turn as the body gets it."""
    word = ir.IntegerType.get_signless(64)
    number = arith.IndexCastOp(word, turn).result
    return tensor.FromElementsOp(ir.RankedTensorType.get([], word), [number]).result


def _constant(value: int) -> ir.Value:
    return arith.ConstantOp(ir.IndexType.get(), value).result


def _true() -> ir.Value:
    return arith.ConstantOp(ir.IntegerType.get_signless(1), 1).result


def _flag() -> ir.Type:
    return ir.RankedTensorType.get([], ir.IntegerType.get_signless(1))
