"""What the compiler made of each layer, as a table for people and as JSON for programs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from .manifest import Manifest

if TYPE_CHECKING:
    from rich.table import Table


def totals(manifest: Manifest) -> dict[str, int]:
    """Sums over the layers: weights, kept weights, bytes as packed here, as dense and as CSR."""
    layers = manifest.layers
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


def report_text(manifest: Manifest, width: int = 160) -> str:
    """The table, the totals and the remarks, at most `width` columns wide."""
    from rich.console import Console

    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(layer_table(manifest))
    for line in notes(manifest):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def layer_table(manifest: Manifest) -> Table:
    """One row for each layer."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("layer", "op", "scheme", "kernel"):
        table.add_column(heading, overflow="fold")
    for heading in ("kept", "of", "bytes", "of dense", "of CSR"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("reason", overflow="fold")
    for layer in manifest.layers:
        cells = (
            layer.name,
            layer.op,
            layer.scheme,
            layer.kernel or "(IREE)",
            _percent(layer.kept, layer.weights),
            f"{layer.weights:,}",
            size_text(layer.packed_bytes),
            _percent(layer.packed_bytes, layer.dense_bytes),
            _percent(layer.packed_bytes, layer.csr_bytes),
            layer.reason,
        )
        # As Text, because a name or a reason may hold [brackets], which rich would take for markup.
        table.add_row(*map(Text, cells))
    return table


def notes(manifest: Manifest) -> list[str]:
    """Lines below the table: the totals, and the remarks that no row gives as its reason."""
    sums = totals(manifest)
    packed, dense, csr = sums["packed_bytes"], sums["dense_bytes"], sums["csr_bytes"]
    count, kept, weights = len(manifest.layers), sums["kept"], sums["weights"]
    lines = [
        f"{count} layer{'' if count == 1 else 's'}, {kept:,} of {weights:,} weights kept "
        f"({_percent(kept, weights)}); {size_text(packed)} packed, "
        f"{_percent(packed, dense)} of dense ({size_text(dense)}), "
        f"{_percent(packed, csr)} of CSR ({size_text(csr)})"
    ]
    told = {layer.name: layer.reason for layer in manifest.layers}
    lines += [
        str(remark)
        for remark in manifest.remarks
        if remark.reason not in told.get(remark.layer, "")
    ]
    return lines


def size_text(count: int) -> str:
    """Bytes for people: ``1.5 kB``."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "-"
