"""What the compiler made of each layer, as a table for people and as JSON for programs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from niwaki.printable import printable
from niwaki.text_table import Column, shortened, text_table, wrapped

from .called_layers import called_layers
from .manifest import Manifest
from .plan_picture import plan_lines, plan_of
from .quantities import microseconds, percent, size_text

NAMED = 12  # layers that a reason names at most; the manifest has all
LONGEST_NAME = 60
IREE = "(IREE)"  # the kernel of layers that have none of ours


def totals(manifest: Manifest) -> dict[str, int]:
    """Sums over the layers: weights, kept weights, bytes as packed here, as dense and as CSR.

    A layer that is called several times counts once.
    """
    layers = [layer.record for layer in called_layers(manifest)]
    return {
        "weights": sum(layer.weights for layer in layers),
        "kept": sum(layer.kept for layer in layers),
        "packed_bytes": sum(layer.packed_bytes for layer in layers),
        "dense_bytes": sum(layer.dense_bytes for layer in layers),
        "csr_bytes": sum(layer.csr_bytes for layer in layers),
    }


def report_json(manifest: Manifest) -> dict[str, Any]:
    """The manifest and the totals, as JSON values."""
    return {**manifest.to_json(), "totals": totals(manifest)}


def report_text(manifest: Manifest, width: int | None = None) -> str:
    """A table with a row for each layer, the totals, and what passes remarked, each thing once.

    At most `width` columns wide; without it as `text_table` says.
    """
    table = [*layer_table(manifest, width), ""] if manifest.layers else []
    lines = [*table, *total_lines(manifest)]
    if plan := plan_of(manifest):
        lines += ["", *plan_lines(plan)]
    if manifest.remarks:
        lines.append("")
    for reason, layers in reasons(manifest).items():
        lines.append(wrapped(reason, hanging="  ", width=width))
        lines.append(wrapped(named_layers(layers), indent="    ", hanging="", width=width))
    return "\n".join(lines)


def layer_table(manifest: Manifest, width: int | None = None) -> list[str]:
    """The table alone. Times are what tuning measured, or estimates; there are none for GPUs.

    Types are there where some layer is not f32.
    """
    columns = [*map(Column, ("layer", "op", "scheme", "kernel", "type"))]
    columns += [Column("kept", number=True), Column("time", number=True)]
    rows = []
    all_wide = all(layer.element == "f32" for layer in manifest.layers)
    for layer in called_layers(manifest):
        record = layer.record
        nanoseconds = record.measured_ns or record.estimated_ns
        rows.append(
            (
                layer.name,
                record.op,
                record.scheme,
                record.family or IREE,
                "" if all_wide else record.element,
                percent(record.kept, record.weights),
                microseconds(1e-9 * nanoseconds) if nanoseconds else "",
            )
        )
    return text_table(columns, rows, width)


def total_lines(manifest: Manifest) -> list[str]:
    """What all layers have together."""
    sums, layers = totals(manifest), called_layers(manifest)
    if not layers:
        return ["no layer has weights that could be pruned: IREE computes the whole network"]
    packed, dense, csr = sums["packed_bytes"], sums["dense_bytes"], sums["csr_bytes"]
    kept, weights = sums["kept"], sums["weights"]
    calls = sum(layer.calls for layer in layers)
    called = f" in {calls} calls" if calls > len(layers) else ""
    found = (layer.record.scheme.partition("(")[0] for layer in layers)
    schemes = Counter(scheme for scheme in found if scheme)
    elements = Counter(layer.record.element for layer in layers)
    left = sum(not run.family for run in manifest.dispatches)
    share = f", {kept:,} of {weights:,} weights kept ({percent(kept, weights)})"
    sizes = (
        f"{size_text(packed)} packed: {percent(packed, dense)} of dense ({size_text(dense)}), "
        f"{percent(packed, csr)} of CSR ({size_text(csr)})"
    )
    lines = [
        f"{len(layers)} layer{'' if len(layers) == 1 else 's'}{called}"
        f"{share if weights else ' without weights'}",
        *([f"schemes: {listed(schemes)}"] if schemes else []),
        *([f"types: {listed(elements)}"] if set(elements) != {"f32"} else []),
        *([sizes] if weights else []),
    ]
    if left:
        lines.append(f"left to IREE: {left} of {len(manifest.dispatches)} kernel runs of a call")
    if any(layer.record.measured_ns for layer in layers):
        lines.append("times: measured by tuning, each layer alone on one core")
    elif any(layer.record.estimated_ns for layer in layers):
        lines.append("times: estimated, each layer alone on one core")
    return [printable(line) for line in lines]


def listed(counts: Counter[str]) -> str:
    """What there is most of first: ``8 block_punched, 5 dense``."""
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def reasons(manifest: Manifest) -> dict[str, list[str]]:
    """What passes remarked, and the layers that it is about, each once."""
    found: dict[str, list[str]] = {}
    for remark in manifest.remarks:
        layers = found.setdefault(remark.reason, [])
        if remark.layer not in layers:
            layers.append(remark.layer)
    return found


def named_layers(names: list[str]) -> str:
    """Some names in a row: not all of very many."""
    shown = [shortened(printable(name), LONGEST_NAME) for name in names[:NAMED]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
