"""Lower a network and interpret all of its kernels, one after the other, on what they left behind.

A result must hold what its layout promises: every pixel computed, from nothing but pixels, halo and
weights, and every zero of the halo stored. Only slack may stay as it was, at the buffer's end, and
nothing that is read from it may reach a pixel.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch_mlir.ir as ir

from niwaki import dialects, frontend
from niwaki.dialects import ConcatOp, PackedLinearOp, is_panels, layout_of, rows_of_linear
from niwaki.dialects.planar import pack
from niwaki.passes import Session, parse_pipeline, run_pipeline
from niwaki.passes.base import TARGET_ATTRIBUTE, dense_value, function_ops
from niwaki.passes.compact_storage import CompactStoragePass
from niwaki.passes.concats import Slice, is_inner, slices_of, written_directly
from niwaki.passes.dispatches import (
    kernel_functions,
    kernel_name,
    own_results,
    taken_operand,
    threads_of,
    updated_operands,
)
from niwaki.passes.emit_iree import EmitIreePass
from niwaki.passes.families import family_of
from niwaki.passes.fuse_pooling import FusePoolingPass
from niwaki.passes.pipelines import compile_pipeline
from niwaki.targets import get_target

from .cases import Branches, Case
from .kernel_accesses import run_kernel
from .kernel_limits import limits_problems
from .kernel_memory import Buffer, Scratch, Taken
from .kernel_values import GARBAGE, ZERO, Array, states

# What makes packed layers of logical ones; poolings are fused on CPUs alone.
PACKING = (CompactStoragePass.name, FusePoolingPass.name)


def network_problems(module: Any, target: str) -> Iterator[str]:
    """Wrong accesses of the kernels of `module`, which is in linalg or logical `sparse_pattern`.

    And what is beyond a GPU's limits.

    The module (an `ir.Operation`) is lowered in place; then its kernels run, one after the other,
    as far as problems are asked for.
    """
    module.attributes[TARGET_ATTRIBUTE] = ir.StringAttr.get(target)
    machine, (before, after) = get_target(target), passes_to_kernels(target)
    run_pipeline(module, before, Session())
    promised = list(promises(function_ops(module)))
    run_pipeline(module, after, Session())
    calls = [op for op in function_ops(module) if op.operation.name == "flow.dispatch"]
    assert len(calls) == len(promised) > 0, "layers and calls of kernels do not match"
    kernels = {function.name.value: function for function in kernel_functions(module)}
    yield from limits_problems(list(kernels.values()), machine)
    memory: dict[Any, Array] = {}
    for call, wanted in zip(calls, promised, strict=True):
        entry = kernel_name(call)
        assert entry is not None
        threads = threads_of(kernels[entry], machine)
        told = call_problems(call, kernels[entry], threads, memory, wanted)
        yield from (f"{call.location}: {entry} {problem}" for problem in told)


@functools.cache
def passes_to_kernels(target: str) -> tuple[list[Any], list[Any]]:
    """The compiler's passes up to packed layers, and from there to kernels as IREE gets them."""
    every = parse_pipeline(compile_pipeline(get_target(target)))
    names = [element if isinstance(element, str) else element.name for element in every]
    packed = 1 + max(names.index(name) for name in PACKING if name in names)
    return every[:packed], every[packed : names.index(EmitIreePass.name)]


def promises(ops: list[Any]) -> Iterator[Array]:
    """What must be held by the result of each call that is to come, as `promise` says."""
    parts = written_directly(ops)
    for op in ops:
        if family_of(op) is not None:
            yield promise_of(parts[op.result]) if op.result in parts else promise_alone(op)
        elif isinstance(op, ConcatOp) and not is_inner(op):
            for part in slices_of(op):
                if part.value not in parts:
                    # Halo is copied with the pixels, and what is loaded counts as data.
                    yield promise_of(part, halo=1)


def promise_alone(op: Any) -> Array:
    """What a result must hold that is no part of another; rows in excess hold anything."""
    wanted = promise(op.result.type)
    if isinstance(op, PackedLinearOp) and is_panels(op.result.type):
        *_, rows = op.result.type.shape
        in_last = rows_of_linear(op) % rows
        wanted.reshape(op.result.type.shape)[-1, :, in_last or rows :] = np.nan
    return wanted


def promise_of(part: Slice, halo: float = 0) -> Array:
    """What a concatenation must hold when a part of it has been written; NaN in the others."""
    kind = ir.RankedTensorType(part.concat.result.type)
    (images, channels, *_), layout = kind.shape, layout_of(kind)
    assert layout is not None
    wanted, last = promise(kind), part.first + part.value.type.shape[1]
    if part.first:
        wanted[: layout.lead] = np.nan
    planes = wanted[layout.lead : layout.lead + images * channels * layout.plane]
    planes[planes == 0] = halo
    planes = planes.reshape(images, channels, layout.plane)
    planes[:, : part.first] = planes[:, last:] = np.nan
    return wanted


def promise(kind: ir.Type) -> Array:
    """What a kernel's result must hold: 1 for what is computed, 0 for zeros, NaN for anything."""
    shape, layout = ir.RankedTensorType(kind).shape, layout_of(kind)
    if layout is None:
        return np.ones(math.prod(shape))
    return pack(np.ones(shape, np.float32), layout)


def call_problems(
    call: Any, kernel: Any, threads: int, memory: dict[Any, Array], wanted: Array
) -> list[str]:
    """Run one call on the memory that earlier ones left; its result is added there."""
    buffers = [
        Buffer(f"buffer {number}", contents(operand, memory))
        for number, operand in enumerate(call.operands)
    ]
    own = own_results(call)
    if call.results[0] in own:
        result = Buffer("the result", states(wanted.size, state=GARBAGE), is_result=True)
        buffers.append(result)
    else:
        taken = taken_operand(call)
        assert taken is not None
        result = Taken("the result", contents(call.operands[taken], memory))
        buffers[taken] = result
    updated = {
        value: Taken(f"buffer {number}", contents(call.operands[number], memory))
        for value, number in updated_operands(call).items()
    }
    for value, number in updated_operands(call).items():
        buffers[number] = updated[value]
    scratch = [
        Scratch("scratch memory", contents_of_nobody(value))
        for value in own
        if value != call.results[0]
    ]
    found = run_kernel(kernel, [*buffers, *scratch], threads)
    memory[call.results[0]] = result.left
    for value, room in zip(own[len(own) - len(scratch) :], scratch, strict=True):
        if garbage := int((room.held[: read_elements(value)] == GARBAGE).sum()):
            found.append(f"{garbage} elements of scratch memory that is read depend on garbage")
    for value, states_after in updated.items():
        memory[value] = states_after.left
        found += broken_promises(states_after, promise(value.type))
    return found + broken_promises(result, wanted)


def read_elements(value: Any) -> int:
    """How many elements of scratch memory, from the first on, the network reads afterwards."""
    users = [use.owner for use in value.uses]
    parts = [op.results[0] if op.name == "tensor.extract_slice" else value for op in users]
    sizes = (math.prod(ir.RankedTensorType(part.type).shape) for part in parts)
    return max(sizes, default=0)


def contents_of_nobody(value: Any) -> Array:
    """States of memory that nobody has written."""
    return states(math.prod(ir.RankedTensorType(value.type).shape), state=GARBAGE)


def contents(value: Any, memory: dict[Any, Array]) -> Array:
    """Numbers or states of a tensor: integer constants by value, what IREE computes as data."""
    if value in memory:
        return memory[value]
    array = dense_value(value)
    if array is not None and array.dtype.kind in "iu":
        return array.reshape(-1).astype(np.int64)
    return states(math.prod(ir.RankedTensorType(value.type).shape))


def broken_promises(result: Buffer, wanted: Array) -> list[str]:
    """Elements of a kernel's result that a later kernel may rely on in vain."""
    written, left, pixel = result.written, result.left, wanted == 1
    rules = {
        "are not written": ~np.isnan(wanted) & ~written,
        "are no zeros, as halo must be": (wanted == 0) & written & (left != ZERO),
        "are zeros instead of pixels": pixel & written & (left == ZERO),
        "depend on garbage": pixel & written & (left == GARBAGE),
    }
    return [
        f"{broken.sum()} elements of the result {text}, the first is {broken.argmax()}"
        for text, broken in rules.items()
        if broken.any()
    ]


@functools.cache
def imported(make: Callable[..., list[Case]], *arguments: Any) -> Any:
    """The cases that a function makes, as one module of linalg: the same one in all tests."""
    cases = make(*arguments)
    inputs = tuple(value for case in cases for value in case.inputs)
    context = dialects.context()
    return frontend.import_torch(Branches(cases).eval(), inputs, context).module.operation


def problems_of(
    make: Callable[..., list[Case]], target: str, *arguments: Any
) -> tuple[list[str], set[str]]:
    """Wrong accesses in networks from PyTorch, and the families of their kernels."""
    module = imported(make, *arguments).clone()
    with module.context:
        found = list(network_problems(module, target))
        names = {kernel.name.value.rpartition("_")[0] for kernel in kernel_functions(module)}
    return found, names
