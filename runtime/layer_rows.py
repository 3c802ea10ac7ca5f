"""The rows of a report: what a call runs, in order, with the layers' records and times."""

from __future__ import annotations

import re
from dataclasses import dataclass

from niwaki.records import LayerRecord

from .layer_times import LayerTimes
from .manifest import Manifest

_COPY = "copy_rows"
# IREE names its kernels after the function and a number; what they compute follows.
_IREE_PREFIX = re.compile(r".*?dispatch_\d+_?")


@dataclass(frozen=True)
class Row:
    """One kernel run, or a layer that has none.

    Attributes:
        layer: module path.
        what: what is computed, e.g. ``conv 3x3`` or ``layout copy``.
        kernel: kernel family and tile of a layer, the kernel's name otherwise.
        kind: ``layer``, ``other`` (copies and poolings), or ``iree``.
        record: of a layer.
        seconds: median time, where it was measured.
    """

    layer: str
    what: str
    kernel: str
    kind: str
    record: LayerRecord | None
    seconds: float | None

    @property
    def flops(self) -> int:
        """Floating-point operations of the kept weights, and of products without weights."""
        if self.record is None:
            return 0
        return 2 * (self.record.kept * self.record.positions + self.record.multiply_adds)

    @property
    def gflops(self) -> float | None:
        """Rate over kept weights, in GFLOP/s."""
        return self.flops / self.seconds / 1e9 if self.seconds and self.flops else None

    @property
    def intensity(self) -> float:
        """Operations for each byte of packed weights, inputs and results, all moved once."""
        record = self.record
        moved = record.packed_bytes + record.activation_bytes if record else 0
        return self.flops / moved if moved else 0.0


def layer_rows(manifest: Manifest, times: LayerTimes | None) -> list[Row]:
    """One row for each kernel run, in order, then one for each layer that no kernel computes."""
    left = list(manifest.layers)
    rows = []
    for number, run in enumerate(manifest.dispatches):
        seconds = times.runs[number].seconds if times else None
        record = next(
            (one for one in left if (one.name, one.family) == (run.layer, run.family)), None
        )
        if record:
            left.remove(record)
            rows.append(_layer(record, seconds))
        elif run.family:
            what = "layout copy" if run.family == _COPY else run.family.replace("_", " ")
            rows.append(Row(run.layer, what, run.kernel, "other", None, seconds))
        else:
            what = f"IREE: {_IREE_PREFIX.sub('', run.kernel)}".removesuffix(": ")
            rows.append(Row(run.layer, what, run.kernel, "iree", None, seconds))
    return rows + [_layer(record, None) for record in left]


def _layer(record: LayerRecord, seconds: float | None) -> Row:
    kernel, kind = (record.kernel, "layer") if record.kernel else ("(IREE)", "iree")
    return Row(record.name, record.op, kernel, kind, record, seconds)
