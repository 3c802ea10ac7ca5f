"""Fuse a maximum over windows into the convolution that it reads.

    %a = "sparse_pattern.packed_conv"(%x, ...) {kernel = #gather_gemm<8, 3, 2, 8>}
           -> tensor<1x64x224x224xf32, #planar>
    %b = "sparse_pattern.pool"(%a) {kind = "max", kernel = [2, 2], strides = [2, 2]}
           -> tensor<1x64x112x112xf32, #planar>
      -->
    %b = "sparse_pattern.packed_pooled_conv"(%x, ...)
           {kernel = #gather_pool<8, 2, 1, 1, 8>, window = [2, 2]}
           -> tensor<1x64x112x112xf32, #planar>

Then the large result of the convolution is neither written nor read. Windows lie side by side and
have two columns. A `packed_winograd_conv`, whose tiles hold whole windows of 2x2, only gets a
`window`. What else keeps a convolution from it is told in a remark.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch_mlir.ir as ir

from niwaki.dialects import PoolOp, arrays_of, build_layer, ints, layout_of, listed
from niwaki.records import LayerRecord

from .base import ModulePass, Session, function_ops, layer_name, target_of
from .families import (
    Fused,
    KernelFamily,
    chosen_family,
    family_of,
    names_with_pooled_form,
    pooled_form,
)
from .families.pooling import pooling_seconds
from .layers import clone_body, element_of

# Of the convolution, whose other attributes the fused op has too.
REPLACED = ("kernel", "operandSegmentSizes")


@dataclass(frozen=True)
class FusePoolingPass(ModulePass):
    """One kernel for a convolution and a pooling, where that is estimated to be faster."""

    name: ClassVar[str] = "sparse-pattern-fuse-pooling"

    def run(self, module: Any, session: Session) -> None:
        target = target_of(module)
        for pool in function_ops(module):
            conv = pooled_convolution(pool)
            if conv is None:
                continue
            if problem := fusion_problem(conv, pool):
                self.remark(session, conv, f"{described(pool)} is not fused: {problem}")
                continue
            form = pooled_form(conv)
            assert form is not None, "there is no problem"
            made, pooling = form.fused(conv, pool, target), pooling_seconds(pool, target)
            if made.longer > pooling:
                times = f"{1e6 * made.longer:.3g} us longer, the pooling {1e6 * pooling:.3g} us"
                told = f"{described(pool)} is not fused: it is estimated to take {times}"
                self.remark(session, conv, told)
                continue
            note(session.layers, conv, pool, made)
            replace_ops(conv, pool, made, form.op)


def pooled_convolution(pool: Any) -> Any | None:
    """The convolution that a pooling reads, if it is a maximum over windows side by side."""
    if not isinstance(pool, PoolOp) or pool.kind.value != "max":
        return None
    apart = ints(pool.kernel) == ints(pool.strides) and set(ints(pool.dilations)) == {1}
    if not apart or any(ints(pool.padding)) or layout_of(pool.result.type) is None:
        return None
    owner = pool.input.owner
    conv = None if isinstance(owner, ir.Block) else owner.opview
    return conv if conv is not None and isinstance(family_of(conv), KernelFamily) else None


def fusion_problem(conv: Any, pool: Any) -> str:
    """What keeps a pooling from being fused into a convolution, empty if nothing does."""
    form = pooled_form(conv)
    if form is None:
        known = " or ".join(names_with_pooled_form())
        return f"the kernel is a {conv.kernel.family}, not a {known}"
    *outer, columns = ints(pool.kernel)
    if problem := form.problem(outer, columns):
        return problem
    if (readers := len(list(conv.result.uses))) > 1:
        return f"the convolution has {readers} readers"
    if tensors := len(conv.per_position):
        return f"the convolution also adds or multiplies {counted(tensors, 'tensor')} of its size"
    if ops := len(pool.epilogue.blocks[0].operations) - 1:
        return f"{counted(ops, 'elementwise op')} behind it would come along"
    return ""


def counted(number: int, what: str) -> str:
    """`1 op`, `2 ops`."""
    return f"{number} {what}{'s' * (number > 1)}"


def described(pool: Any) -> str:
    """`max 2x2`."""
    return f"max {'x'.join(map(str, ints(pool.kernel)))}"


def note(layers: list[LayerRecord], conv: Any, pool: Any, made: Fused) -> None:
    """Tell in the record of a convolution that its kernel pools."""
    known = (layer_name(conv.location), conv.kernel.summary)
    dropped = math.prod(conv.result.type.shape) - math.prod(pool.result.type.shape)
    for number, record in enumerate(layers):
        if (record.name, record.kernel) == known:
            layers[number] = replace(
                record,
                op=f"{record.op} + {described(pool)}",
                kernel=made.kernel.summary,
                activation_bytes=record.activation_bytes - element_of(conv.result).bytes * dropped,
                estimated_ns=record.estimated_ns + round(1e9 * made.longer),
                measured_ns=0,
            )
            return


def replace_ops(conv: Any, pool: Any, made: Fused, name: str) -> None:
    """Put the fused op in the place of the pooling."""
    kept = {name: conv.attributes[name] for name in conv.attributes if name not in REPLACED}
    arrays = listed(arrays_of(conv, chosen_family(conv.kernel).arrays))
    with ir.InsertionPoint(pool), conv.location:
        op = build_layer(
            name,
            pool.result.type,
            [conv.input, *arrays],
            list(conv.per_filter),
            [],
            lambda arguments: clone_body(conv.epilogue.blocks[0], arguments),
            {**kept, "kernel": made.kernel, "window": pool.operation.attributes["kernel"]},
            accumulator=conv.epilogue.blocks[0].arguments[0].type,
        )
    pool.result.replace_all_uses_with(op.result)
    pool.operation.erase()
    conv.operation.erase()
