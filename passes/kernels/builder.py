"""Small words for writing kernels: indices that fold, loads and stores of any width, loops.

A kernel is a function of flat memrefs and three workgroup numbers:

    func.func private @gather_gemm_0(%in: memref<?xf32>, ..., %x: index, %y: index, %z: index)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, memref, scf, vector

from niwaki.targets import LINE_BYTES

Number = "int | Index"

# f32 values of a cache line.
CACHE_LINE = LINE_BYTES // 4

# Levels of cache, as `memref.prefetch` numbers them.
L1, L2 = 3, 2


@dataclass(frozen=True)
class Index:
    """An index value, or an integer known now: arithmetic on known integers happens in Python."""

    value: Any

    def __add__(self, other: Any) -> Index:
        a, b = _plain(self), _plain(other)
        if isinstance(a, int) and isinstance(b, int):
            return Index(a + b)
        if a == 0 and isinstance(a, int):
            return Index(b)
        if b == 0 and isinstance(b, int):
            return Index(a)
        return Index(arith.addi(as_value(a), as_value(b)))

    def __mul__(self, other: Any) -> Index:
        a, b = _plain(self), _plain(other)
        if isinstance(a, int) and isinstance(b, int):
            return Index(a * b)
        if isinstance(a, int) and a in (0, 1):
            return Index(b if a else 0)
        if isinstance(b, int) and b in (0, 1):
            return Index(a if b else 0)
        return Index(arith.muli(as_value(a), as_value(b)))

    def __rsub__(self, other: Any) -> Index:
        return Index(other) - self

    def __sub__(self, other: Any) -> Index:
        a, b = _plain(self), _plain(other)
        if isinstance(a, int) and isinstance(b, int):
            return Index(a - b)
        if isinstance(b, int) and b == 0:
            return Index(a)
        return Index(arith.subi(as_value(a), as_value(b)))

    def __floordiv__(self, divisor: int) -> Index:
        """Quotient by a positive number; this index must not be negative."""
        if isinstance(self.value, int) or divisor == 1:
            return Index(self.value if divisor == 1 else self.value // divisor)
        return Index(arith.divui(self.value, as_value(divisor)))

    def __mod__(self, divisor: int) -> Index:
        """Remainder by a positive number; this index must not be negative."""
        if isinstance(self.value, int) or divisor == 1:
            return Index(0 if divisor == 1 else self.value % divisor)
        return Index(arith.remui(self.value, as_value(divisor)))

    __radd__ = __add__
    __rmul__ = __mul__


def _plain(number: Any) -> Any:
    return number.value if isinstance(number, Index) else number


def as_value(number: Any) -> ir.Value:
    """An `index` SSA value of an integer, an `Index` or a value."""
    plain = _plain(number)
    return arith.constant(ir.IndexType.get(), plain) if isinstance(plain, int) else plain


def minimum(a: Any, b: Any) -> Index:
    """The smaller of two indices."""
    a, b = _plain(a), _plain(b)
    if isinstance(a, int) and isinstance(b, int):
        return Index(min(a, b))
    return Index(arith.minsi(as_value(a), as_value(b)))


def maximum(a: Any, b: Any) -> Index:
    """The larger of two indices."""
    a, b = _plain(a), _plain(b)
    if isinstance(a, int) and isinstance(b, int):
        return Index(max(a, b))
    return Index(arith.maxsi(as_value(a), as_value(b)))


def equal(a: Any, b: Any) -> ir.Value:
    """Whether two indices are equal, as i1."""
    return arith.cmpi(arith.CmpIPredicate.eq, as_value(a), as_value(b))


def below(a: Any, b: Any) -> ir.Value:
    """Whether index a < b, as i1."""
    return arith.cmpi(arith.CmpIPredicate.slt, as_value(a), as_value(b))


def above(a: Any, b: Any) -> ir.Value:
    """Whether index a > b, as i1."""
    return arith.cmpi(arith.CmpIPredicate.sgt, as_value(a), as_value(b))


def all_of(conditions: Sequence[ir.Value]) -> ir.Value:
    """Logical and of one or more i1."""
    found = conditions[0]
    for condition in conditions[1:]:
        found = arith.andi(found, condition)
    return found


def lane_type(element: ir.Type, lanes: int) -> ir.Type:
    """`element` for one lane, a vector of them for more."""
    return element if lanes == 1 else ir.VectorType.get([lanes], element)


def lanes_of(value: ir.Value) -> int:
    """How many numbers a value has: those of a vector, or one."""
    return int(value.type.shape[0]) if isinstance(value.type, ir.VectorType) else 1


def load(buffer: ir.Value, index: Any, lanes: int = 1) -> ir.Value:
    """`lanes` neighbouring elements as a vector; a scalar for one."""
    if lanes == 1:
        return memref.load(buffer, [as_value(index)])
    return vector.load(
        lane_type(ir.MemRefType(buffer.type).element_type, lanes), buffer, [as_value(index)]
    )


def load_as(kind: ir.Type, buffer: ir.Value, index: Any, lanes: int = 1) -> ir.Value:
    """As `load`, converted to another type of floats, in which the kernel computes."""
    return in_type(kind, load(buffer, index, lanes))


def in_type(kind: ir.Type, value: ir.Value) -> ir.Value:
    """A float or a vector of them, in a type of floats that is as wide or wider."""
    vectors = isinstance(value.type, ir.VectorType)
    wanted = lane_type(kind, value.type.shape[0]) if vectors else kind
    return value if value.type == wanted else arith.extf(wanted, value)


def as_stored(value: ir.Value, buffer: ir.Value) -> ir.Value:
    """A float or a vector of them, in the type of a buffer's elements, which may be narrower."""
    kind = ir.MemRefType(buffer.type).element_type
    vectors = isinstance(value.type, ir.VectorType)
    wanted = lane_type(kind, value.type.shape[0]) if vectors else kind
    return value if value.type == wanted else arith.truncf(wanted, value)


def element_bytes(buffer: ir.Value) -> int:
    """Bytes of an element of a buffer of floats."""
    return ir.FloatType(ir.MemRefType(buffer.type).element_type).width // 8


def store(value: ir.Value, buffer: ir.Value, index: Any) -> None:
    """Store an element of the buffer, or a vector of neighbouring ones."""
    if value.type != ir.MemRefType(buffer.type).element_type:
        vector.store(value, buffer, [as_value(index)])
    else:
        memref.store(value, buffer, [as_value(index)])


def prefetch(buffer: ir.Value, index: Any, locality: int = L1) -> None:
    """Ask for the cache line of an element, into the first or second level; it need not exist."""
    memref.prefetch(buffer, [as_value(index)], False, locality, True)


def view(buffer: ir.Value, begin: Index, size: Index) -> ir.Value:
    """`size` elements of a buffer, from `begin` on."""
    unknown = ir.ShapedType.get_dynamic_size()
    strided = ir.StridedLayoutAttr.get(ir.ShapedType.get_dynamic_stride_or_offset(), [1])
    part = ir.MemRefType.get([unknown], ir.MemRefType(buffer.type).element_type, strided)
    values = [as_value(begin)], [as_value(size)]
    return memref.SubViewOp(part, buffer, *values, [], [unknown], [unknown], [1]).result


def load_index(buffer: ir.Value, index: Any) -> Index:
    """An i32 element as an index."""
    return Index(arith.index_cast(ir.IndexType.get(), load(buffer, index)))


def load_number(buffer: ir.Value, index: Any) -> Index:
    """An element of i32, or one of fewer bits that counts from zero on, as an index."""
    wide = ir.IntegerType(ir.MemRefType(buffer.type).element_type).width == 32
    return (load_index if wide else load_unsigned)(buffer, index)


def word_index(word: ir.Value) -> Index:
    """A word of 32 bits as an index."""
    return Index(arith.index_cast(ir.IndexType.get(), word))


def fours(kind: ir.Type, line: ir.Value) -> list[ir.Value]:
    """The floats that four words are, in vectors of four."""
    words = ir.FloatType(kind).width // 8
    parts = [line] if words == 4 else cut(line, words)
    return [vector.bitcast(lane_type(kind, 4), part) for part in parts]


def cut(whole: ir.Value, lanes: int) -> list[ir.Value]:
    """A vector in parts of so many lanes, numbers for one; a number is its only part."""
    count = lanes_of(whole)
    if count == lanes:
        return [whole]
    if lanes == 1:
        return [vector.extract(whole, [], [lane]) for lane in range(count)]
    starts = range(0, count, lanes)
    return [vector.shuffle(whole, whole, [*range(at, at + lanes)]) for at in starts]


def local_vectors(count: int, lanes: int, kind: ir.Type) -> ir.Value:
    """A buffer of vectors on the stack, for the workgroup that runs; they are aligned by type."""
    return memref.alloca(ir.MemRefType.get([count], lane_type(kind, lanes)), [], [])


def local_numbers(count: int, kind: ir.Type) -> ir.Value:
    """A buffer of numbers on the stack, for the workgroup that runs; also asked for in loops."""
    block = ir.InsertionPoint.current.block
    while block.owner.operation.name != "func.func":
        block = block.owner.operation.block
    with ir.InsertionPoint.at_block_begin(block):
        return memref.alloca(ir.MemRefType.get([count], kind), [], [])


def workgroup_numbers(count: int, kind: ir.Type) -> ir.Value:
    """A buffer of numbers that the threads of a workgroup of a GPU share."""
    space = ir.Attribute.parse("#gpu.address_space<workgroup>")
    return memref.alloc(ir.MemRefType.get([count], kind, memory_space=space), [], [])


def load_unsigned(buffer: ir.Value, index: Any) -> Index:
    """An element of i8 or i16 that counts from zero on, as an index."""
    return Index(arith.index_castui(ir.IndexType.get(), load(buffer, index)))


def load_each(
    kind: ir.Type, buffer: ir.Value, index: Any, count: int, lanes: int
) -> Iterator[ir.Value]:
    """`count` neighbouring elements one by one, loaded in vectors of `lanes` as far as these reach.

    They are converted to `kind`. What multiplies by a lane of a register then takes it from there.
    """
    begin = index if isinstance(index, Index) else Index(index)
    for offset, width, repeats in pieces(count, lanes):
        for start in range(offset, offset + repeats * width, width):
            loaded = load_as(kind, buffer, begin + start, width)
            yield from (
                [loaded] if width == 1 else (vector.extract(loaded, [], [i]) for i in range(width))
            )


def load_strided(buffer: ir.Value, index: Any, stride: int, lanes: int) -> ir.Value:
    """Elements index, index + stride, ...; never reads past the last of them."""
    return join_strided(load_strided_parts(buffer, index, stride, lanes), stride, lanes)


def load_strided_parts(buffer: ir.Value, index: Any, stride: int, lanes: int) -> list[ir.Value]:
    """The vectors that hold elements index, index + stride, ...; `join_strided` picks them out.

    What is done lane by lane to parts of several rows, a maximum say, needs one join instead of one
    a row.
    """
    if stride == 1 or lanes == 1:
        return [load(buffer, index, lanes)]
    index = index if isinstance(index, Index) else Index(index)
    if stride == 2:
        # Two overlapping vectors: the second ends at the last element wanted.
        return [load(buffer, index, lanes), load(buffer, index + (lanes - 1), lanes)]
    elements = [load(buffer, index + stride * lane) for lane in range(lanes)]
    return [vector.from_elements(lane_type(elements[0].type, lanes), elements)]


def join_strided(parts: Sequence[ir.Value], stride: int, lanes: int) -> ir.Value:
    """The vector of every `stride`-th element of what `load_strided_parts` loaded."""
    if len(parts) == 1:
        return parts[0]
    picks = [2 * i if 2 * i < lanes else lanes + 2 * i - (lanes - 1) for i in range(lanes)]
    return vector.shuffle(parts[0], parts[1], picks)


def every_second(pair: Sequence[ir.Value], first: int) -> ir.Value:
    """Of a pair of vectors, one behind the other, every second element from `first` on."""
    a, b = pair
    return vector.shuffle(a, b, [*range(first, 2 * lanes_of(a), 2)])


def splat(value: ir.Value, lanes: int) -> ir.Value:
    """A scalar in every lane."""
    return value if lanes == 1 else vector.broadcast(lane_type(value.type, lanes), value)


def float_constant(number: float, kind: ir.Type, lanes: int = 1) -> ir.Value:
    """A constant of a type of floats, in every lane."""
    scalar = ir.FloatAttr.get(kind, number)
    if lanes == 1:
        return arith.constant(kind, scalar)
    vectors = lane_type(kind, lanes)
    return arith.constant(vectors, ir.DenseElementsAttr.get_splat(vectors, scalar))


def zero(kind: ir.Type) -> ir.Value:
    """Zero of a type of floats, or of vectors of them."""
    if not isinstance(kind, ir.VectorType):
        return float_constant(0.0, kind)
    return float_constant(0.0, kind.element_type, kind.shape[0])


def select_or_zero(condition: ir.Value, value: ir.Value) -> ir.Value:
    """`value` where the condition holds, zero elsewhere, lane by lane."""
    return select(condition, value, zero(value.type))


def float_maximum(a: ir.Value, b: ir.Value, **flags: Any) -> ir.Value:
    """The larger of two floats, lane by lane; NaN wins, as in PyTorch."""
    return _extremum("maximum", a, b, **flags)


def float_minimum(a: ir.Value, b: ir.Value, **flags: Any) -> ir.Value:
    """The smaller of two floats, lane by lane; NaN wins, as in PyTorch."""
    return _extremum("minimum", a, b, **flags)


def _extremum(name: str, a: ir.Value, b: ir.Value, **flags: Any) -> ir.Value:
    if isinstance(a.type, ir.VectorType) and isinstance(a.type.element_type, ir.F16Type):
        # One instruction on cores with arithmetic for f16, in the form that IREE 3.13 takes.
        return ir.Operation.create(f"llvm.intr.{name}", [a.type], [a, b]).result
    return {"maximum": arith.maximumf, "minimum": arith.minimumf}[name](a, b, **flags)


def fma(a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    """a * b + c with one rounding."""
    if isinstance(a.type, ir.VectorType):
        return vector.fma(a, b, c)
    return ir.Operation.create("math.fma", [a.type], [a, b, c]).result


def select(condition: ir.Value, yes: ir.Value, no: ir.Value) -> ir.Value:
    """`yes` where the condition holds, lane by lane."""
    return arith.select(condition, yes, no)


def load_mask(buffer: ir.Value, index: Any, lanes: int) -> ir.Value:
    """Bytes that are not zero, as i1."""
    loaded = load(buffer, index, lanes)
    byte = ir.IntegerType.get_signless(8)
    zero = ir.IntegerAttr.get(byte, 0)
    kind = lane_type(byte, lanes)
    zeros = arith.constant(kind, zero if lanes == 1 else ir.DenseElementsAttr.get_splat(kind, zero))
    return arith.cmpi(arith.CmpIPredicate.ne, loaded, zeros)


def select_index(condition: ir.Value, yes: Index, no: Index) -> Index:
    """`yes` if the condition holds, else `no`."""
    return Index(arith.select(condition, as_value(yes), as_value(no)))


def one_of(place: Index, numbers: Sequence[int]) -> Index:
    """The number at a place of a few."""
    found = Index(numbers[0])
    for at, number in enumerate(numbers[1:], 1):
        if number != numbers[at - 1]:
            found = select_index(above(place, at - 1), Index(number), found)
    return found


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


def zero_fill(buffer: ir.Value, begin: Any, length: int, lanes: int) -> None:
    """Store zeros into `length` elements from `begin` on."""
    start = begin if isinstance(begin, Index) else Index(begin)
    kind = ir.MemRefType(buffer.type).element_type
    for offset, width, repeats in pieces(length, lanes):
        zeros = float_constant(0.0, kind, width)
        if repeats == 1:
            store(zeros, buffer, start + offset)
            continue
        with for_range(0, repeats) as i:
            store(zeros, buffer, start + offset + i * width)


def pieces(length: int, lanes: int) -> list[tuple[int, int, int]]:
    """Cut `length` into (offset, width, repeats): whole vectors, then smaller powers of two."""
    found: list[tuple[int, int, int]] = []
    offset, width = 0, lanes
    while offset < length:
        repeats = (length - offset) // width
        if repeats:
            found.append((offset, width, repeats))
            offset += repeats * width
        width //= 2
    return found
