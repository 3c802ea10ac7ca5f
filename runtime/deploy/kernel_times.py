"""What a device took for each layer, and what was estimated: `kernels` in `times.json`."""

from __future__ import annotations

from dataclasses import dataclass

from ..layer_rows import layer_rows
from ..layer_times import LayerTimes
from ..manifest import Manifest


@dataclass(frozen=True)
class KernelTime:
    """One layer.

    Attributes:
        layer: module path.
        scheme, kernel: as in the bundle's record of the layer.
        estimated_ns: nanoseconds that the compiler estimated.
        took_ns: nanoseconds that it took.
    """

    layer: str
    scheme: str
    kernel: str
    estimated_ns: int
    took_ns: int


def kernel_times(manifest: Manifest, times: LayerTimes | None) -> list[KernelTime]:
    """One for each layer that was timed, and whose kernel has an estimate."""
    if times is None:
        return []
    return [
        KernelTime(
            row.record.name,
            row.record.scheme,
            row.record.kernel,
            row.record.estimated_ns,
            max(round(1e9 * row.seconds), 1),
        )
        for row in layer_rows(manifest, times)
        if row.record and row.record.estimated_ns and row.seconds
    ]
