"""Buffers on the stack of a CPU, for the workgroup that runs."""

from __future__ import annotations

import torch_mlir.ir as ir
from torch_mlir.dialects import memref

from .vectors import lane_type


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
