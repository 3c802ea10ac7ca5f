"""A picture of which taps a layer's first kernels keep, as SVG."""

from __future__ import annotations

import math

from niwaki.records import LayerRecord
from niwaki.schemes.kernel_sample import kernels

TAP, GAP = 3, 2  # pixels


def kernel_picture(record: LayerRecord) -> str:
    """Rows are filters, columns input channels, each kernel a grid of taps: dark ones are kept.

    Empty for layers without a sample. Planes of 3-D kernels stand side by side.
    """
    if not record.sample:
        return ""
    taps = math.prod(record.kernel_size)
    *planes, height, width = (1, *record.kernel_size)
    across = math.prod(planes) * width
    right, down = across * TAP + GAP, height * TAP + GAP
    rows = [kernels(row, taps) for row in record.sample]
    kept, grounds = [], []
    for filter_, row in enumerate(rows):
        for channel, kernel in enumerate(row):
            x, y = channel * right, filter_ * down
            grounds.append(_square(x, y, across * TAP, height * TAP))
            for tap, keep in enumerate(kernel):
                plane, place = divmod(tap, height * width)
                i, j = divmod(place, width)
                if keep:
                    kept.append(_square(x + (plane * width + j) * TAP, y + i * TAP, TAP, TAP))
    size = f"{len(rows[0]) * right - GAP} {len(rows) * down - GAP}"
    wide, high = size.split()
    return (
        f'<svg viewBox="0 0 {size}" width="{wide}" height="{high}" role="img">'
        f'<path class="ground" d="{"".join(grounds)}"/><path class="kept" d="{"".join(kept)}"/>'
        "</svg>"
    )


def _square(x: int, y: int, width: int, height: int) -> str:
    return f"M{x} {y}h{width}v{height}h-{width}z"
