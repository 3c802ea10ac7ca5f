"""What a kernel asks of a GPU, beside what every device of Vulkan 1.1 has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch_mlir.ir as ir

from niwaki.passes.dispatches import threads_of
from niwaki.targets import Target

from .kernel_accesses import nested

MOST_BUFFERS, MOST_THREADS, MOST_SHARED_BYTES = 4, 128, 16 * 1024
# Arguments that are no buffers: the workgroup's numbers.
NUMBERS = 3


def limits_problems(kernels: Sequence[Any], target: Target) -> Iterator[str]:
    """A line for each limit that a kernel function is beyond; CPUs have none."""
    if target.backend != "gpu":
        return
    for kernel in kernels:
        if (threads := threads_of(kernel, target)) > MOST_THREADS:
            yield f"{kernel.name.value} has workgroups of {threads} threads"
        arguments = list(kernel.regions[0].blocks[0].arguments)
        buffers = [one for one in arguments if isinstance(one.type, ir.MemRefType)]
        if len(buffers) > MOST_BUFFERS:
            yield f"{kernel.name.value} has {len(buffers)} buffers"
        if len(arguments) != len(buffers) + NUMBERS:
            yield f"{kernel.name.value} has push constants"
        if (shared := shared_bytes(kernel)) > MOST_SHARED_BYTES:
            yield f"{kernel.name.value} has {shared} bytes of workgroup memory"


def shared_bytes(kernel: Any) -> int:
    """Of a kernel function's memory that the threads of a workgroup share."""
    kinds = [
        ir.MemRefType(op.results[0].type)
        for op in nested([kernel.operation])
        if op.name == "memref.alloc"
    ]
    return sum(kind.shape[0] * kind.element_type.width // 8 for kind in kinds)
