"""Put the module into IREE's terms: kernels become executables, large constants become parameters.

    func.func private @gather_gemm_0(%in: memref<?xf32>, ..., %x: index, %y: index, %z: index)
      -->
    stream.executable private @gather_gemm_0 {
      stream.executable.export public @gather_gemm_0 workgroups() { 8, 4, 1 }
      builtin.module { func.func @gather_gemm_0(%in: !stream.binding, ...) {...} }
    }

    %w = arith.constant dense<...> : tensor<4608xf32>
      -->
    util.global private @layer1.conv = #flow.parameter.named<"model"::"layer1.conv">
    %w = util.global.load @layer1.conv

The ops of IREE's dialects are not registered here, so they print in generic form, which IREE
parses.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch_mlir.ir as ir
from torch_mlir.dialects import func

from niwaki.dialects import ints
from niwaki.targets import Target

from .base import (
    STATES,
    TARGET_ATTRIBUTE,
    ModulePass,
    Session,
    function_ops,
    target_of,
)
from .dispatches import kernel_functions, kernel_name, own_results, threads_of
from .kernels.control import when
from .kernels.indices import Index, as_value, below
from .kernels.library import PART, WORKGROUPS, family_of
from .launches import Launch, launched
from .parameters import extract_parameters


@dataclass(frozen=True)
class EmitIreePass(ModulePass):
    """Executables and parameters. With `embed-constants` the weights stay in the module."""

    name: ClassVar[str] = "sparse-pattern-emit-iree"
    embed_constants: bool = False

    def run(self, module: Any, session: Session) -> None:
        target = target_of(module)
        calls = calls_by_kernel(module)
        for function in kernel_functions(module):
            name = function.name.value
            session.kernels[name] = family_of(name)
            wrap_kernel(function, calls.get(name, []), target)
        if not self.embed_constants:
            extract_parameters(module, session)
        for name in (TARGET_ATTRIBUTE, STATES):
            if name in module.attributes:
                del module.attributes[name]


def calls_by_kernel(module: Any) -> dict[str, list[Any]]:
    """The dispatches of each kernel."""
    calls: dict[str, list[Any]] = {}
    for op in function_ops(module):
        name = kernel_name(op)
        if name is not None:
            calls.setdefault(name, []).append(op)
    return calls


def wrap_kernel(function: Any, calls: Sequence[Any], target: Target) -> None:
    """Move one kernel function into an executable of its own and point its dispatches there."""
    name = function.name.value
    with ir.InsertionPoint(function), function.location:
        executable = _create(
            "stream.executable",
            {"sym_name": _text(name), "sym_visibility": _text("private")},
            regions=1,
        )
        with ir.InsertionPoint(executable.regions[0].blocks.append()):
            launch = launched(ints(function.operation.attributes[WORKGROUPS]), target.workgroups)
            _export(name, launch.workgroups)
            inner = _create("builtin.module", regions=1)
            _create("stream.executable.end")
        with ir.InsertionPoint(inner.regions[0].blocks.append()):
            _bound_function(function, _buffer_sizes(calls), target, launch)
    nested = ir.ArrayAttr.get([ir.SymbolRefAttr.get([name, name])])
    for call in calls:
        call.operation.attributes["entry_points"] = nested
        if PART in call.operation.attributes:
            del call.operation.attributes[PART]
    function.operation.erase()


def _buffer_sizes(calls: Sequence[Any]) -> list[int]:
    """Elements of the largest buffer bound to each argument of a kernel, the result last."""
    rows = [[value.type for value in (*call.operands, *own_results(call))] for call in calls]
    return [
        max(int(np.prod(ir.RankedTensorType(kind).shape)) for kind in column)
        for column in zip(*rows, strict=True)
    ]


def _export(name: str, workgroups: Sequence[int]) -> None:
    """The export of a kernel: its symbol, and how many workgroups run."""
    export = _create(
        "stream.executable.export",
        {"sym_name": _text(name), "function_ref": ir.FlatSymbolRefAttr.get(name)},
        regions=1,
    )
    with ir.InsertionPoint(export.regions[0].blocks.append()):
        _create("stream.return", operands=[as_value(count) for count in workgroups])


def _bound_function(function: Any, sizes: Sequence[int], target: Target, launch: Launch) -> None:
    """The kernel as a function of bindings: memrefs are views of them, numbers are asked for."""
    name = function.name.value
    source = function.regions[0].blocks[0]
    buffers, numbers = list(source.arguments)[:-3], list(source.arguments)[-3:]
    made = func.FuncOp(name, ([ir.Type.parse("!stream.binding")] * len(buffers), []))
    info = translation_info(target, threads_of(function, target))
    made.operation.attributes["translation_info"] = ir.Attribute.parse(info)
    block = made.add_entry_block()
    with ir.InsertionPoint(block):
        zero = as_value(0)
        for buffer, binding, size in zip(buffers, block.arguments, sizes, strict=True):
            element = ir.MemRefType(buffer.type).element_type
            lanes = element.shape[0] if isinstance(element, ir.VectorType) else 1
            view = _create(
                "stream.binding.subspan",
                operands=[binding, zero, as_value(size // lanes)],
                results=[buffer.type],
            )
            buffer.replace_all_uses_with(view.result)
        place = launch.place([_workgroup_number(axis) for axis in range(3)])
        for number, value in zip(numbers, place.numbers, strict=True):
            number.replace_all_uses_with(as_value(value))
        *body, end = source.operations
        with nullcontext() if place.number is None else when(below(place.number, launch.total)):
            inside = ir.InsertionPoint.current
            for op in body:
                op.operation.detach_from_parent()
                inside.insert(op)
    block.append(end.operation)


def _workgroup_number(axis: int) -> Index:
    """Of the workgroup that runs, among those launched along an axis."""
    dimension = {"dimension": ir.IntegerAttr.get(ir.IndexType.get(), axis)}
    asked = _create("stream.dispatch.workgroup.id", dimension, results=[ir.IndexType.get()])
    return Index(asked.result)


def translation_info(target: Target, threads: int) -> str:
    """How IREE is to compile a kernel: as it is, without tiling of its own."""
    if target.backend == "cpu":
        return "#iree_codegen.translation_info<pipeline = #iree_codegen.no_pipeline>"
    return (
        "#iree_codegen.translation_info<pipeline = #iree_gpu.spirv_pipeline<BaseLowering>"
        f" workgroup_size = [{threads}, 1, 1]>"
    )


def _create(
    name: str,
    attributes: dict[str, ir.Attribute] | None = None,
    operands: Sequence[ir.Value] = (),
    results: Sequence[ir.Type] = (),
    regions: int = 0,
) -> Any:
    return ir.Operation.create(
        name, list(results), list(operands), attributes or {}, regions=regions
    )


def _text(value: str) -> ir.Attribute:
    return ir.StringAttr.get(value)
