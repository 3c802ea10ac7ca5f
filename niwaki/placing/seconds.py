"""What a unit takes on each target, from records of the layers as each was compiled for it.

    conv1  host: estimated 263 us    vulkan: 14 us of sums, 10 us to launch   -->   (263, 24) us

CPUs' kernels have been estimated, or measured, when they were chosen. GPUs' are taken for as fast
as their arithmetic or their memory allows, by the target's numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from niwaki.elements import F32
from niwaki.passes.base import layer_name
from niwaki.records import LayerRecord
from niwaki.targets import Target

from .timeline import Device, Unit
from .units import LIGHT, Parted, Read, is_known

# Kernels of GPUs that take a sequence on one of the cores.
ON_ONE_CORE = ("thread_recurrence",)
# Of what a core multiplies and adds at most, what IREE's own kernels reach.
IREE_SHARE = 0.25
# Seconds until a thread goes on that waits for another.
THREAD_LATENCY = 10e-6
FUSED = ("arith.", "math.", "tensor.empty", "linalg.fill", "linalg.broadcast", *LIGHT)


def device_of(target: Target) -> Device:
    """A target as plans see it."""
    if target.gpu is None:
        return Device(target.name, THREAD_LATENCY)
    return Device(target.name, target.gpu.latency, target.gpu.link)


def layer_seconds(layer: LayerRecord, target: Target) -> float:
    """What a layer takes alone."""
    known = layer.measured_ns or layer.estimated_ns
    if known:
        return 1e-9 * known
    operations = 2 * (layer.kept * layer.positions + layer.multiply_adds)
    size = layer.packed_bytes + layer.activation_bytes
    if target.gpu is not None:
        rate = target.gpu.operations if layer.element == F32.name else target.gpu.half_operations
        rate /= target.gpu.cores if layer.family in ON_ONE_CORE else 1
        return target.gpu.launch + max(operations / rate, size / target.gpu.bandwidth)
    core = target.cpu_core
    rate = 2 * core.clock * core.multiply_adds * target.vector(F32).lanes * IREE_SHARE
    return max(operations / rate, size / (core.clock * core.bandwidth[1]))


def moving_seconds(size: int, target: Target) -> float:
    """What an op takes that no layer computes: it reads and writes so many bytes."""
    if target.gpu is not None:
        return target.gpu.launch + size / target.gpu.bandwidth
    core = target.cpu_core
    return size / (core.clock * core.bandwidth[1])


def priced_units(
    parted: Parted, records: Sequence[tuple[Target, Sequence[LayerRecord]]], signature_bytes: Any
) -> list[Unit]:
    """The units of a network, with what each takes on each target.

    Args:
        records: targets, each with the layers of the network that was compiled for it.
        signature_bytes: bytes of the network's inputs.
    """
    layers = [_by_name(found) for _, found in records]
    names = {name for found in layers for name in found}
    owners = _owners(parted, names)
    outputs = {parted.unit[read.op] for read in parted.outputs if read.op >= 0}
    units = []
    for number, ops in enumerate(parted.units):
        mine = [name for name, owner in owners.items() if owner == number]
        moved = sum(_moved(parted.ops[op], names) for op in ops)
        seconds = []
        for (target, _), found in zip(records, layers, strict=True):
            own = sum(layer_seconds(one, target) for name in mine for one in found.get(name, ()))
            seconds.append(own + (moving_seconds(moved, target) if moved else 0.0))
        reads = parted.reads(number)
        before = sorted({parted.unit[read.op] for read in reads if read.op >= 0})
        given = sum(signature_bytes[read.result] for read in reads if read.op < 0)
        size = _given_bytes(parted, number)
        told = (tuple(before), size, given, number in outputs, parted.layer_names(number))
        units.append(Unit(parted.name(number), tuple(seconds), *told))
    return units


def _by_name(records: Sequence[LayerRecord]) -> Mapping[str, list[LayerRecord]]:
    """A layer that is called several times has several records."""
    found: dict[str, list[LayerRecord]] = {}
    for record in records:
        found.setdefault(record.name, []).append(record)
    return found


def _owners(parted: Parted, names: Collection[str]) -> Mapping[str, int]:
    """The unit of each layer: the last one that has an op of its name."""
    return {
        layer_name(parted.ops[op].location): number
        for number, ops in enumerate(parted.units)
        for op in ops
        if layer_name(parted.ops[op].location) in names
    }


def _moved(op: Any, names: Collection[str]) -> int:
    """Bytes that an op moves which is no layer's, and is not computed by one's kernel."""
    if layer_name(op.location) in names or op.operation.name.startswith(FUSED):
        return 0
    is_elementwise = op.operation.name == "linalg.generic" and "reduction" not in str(
        op.operation.attributes["iterator_types"]
    )
    return 0 if is_elementwise else 2 * sum(_bytes(value) for value in op.results)


def _given_bytes(parted: Parted, number: int) -> int:
    """Of what others read of a unit."""
    wanted: set[Read] = {read for read in parted.outputs if read.op >= 0}
    for other in range(number + 1, len(parted.units)):
        wanted.update(parted.reads(other))
    own = [read for read in wanted if read.op >= 0 and parted.unit[read.op] == number]
    return sum(_bytes(parted.ops[read.op].results[read.result]) for read in own)


def _bytes(value: Any) -> int:
    if not is_known(value.type):
        return 0
    size = 1
    for extent in value.type.shape:
        size *= extent
    return size * max(1, value.type.element_type.width // 8)
