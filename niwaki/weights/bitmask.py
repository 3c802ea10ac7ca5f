"""Sparse weights as compressed-tensors packs them: kept values, and a bit for each weight.

fc.shape [2]  fc.compressed [kept]  fc.bitmask u8[F, C / 8]  fc.row_offsets [F]   -->  fc.weight

That is ``sparse-bitmask``. ``sparse-24-bitmask`` has no row offsets, and values ``[F, C / 2]``.
The first weight of a row is its first byte's lowest bit. Nothing but ``weight`` is packed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from niwaki.errors import NiwakiError

from .contents import Array, Weights

VALUES, BITS, SHAPE, OFFSETS = "compressed", "bitmask", "shape", "row_offsets"


def unpack_bitmasks(path: Path, weights: Weights) -> None:
    """Replace the parts of packed weights by dense arrays.

    Raises:
        NiwakiError: parts are missing or contradict one another.
    """
    for name in [name for name in weights if name.rpartition(".")[2] == BITS]:
        stem = name.removesuffix(BITS).removesuffix(".")
        parts = {part: weights.pop(f"{stem}.{part}", None) for part in (VALUES, BITS, SHAPE)}
        is_24 = weights.pop(f"{stem}.{OFFSETS}", None) is None
        values, bits, shape = parts[VALUES], parts[BITS], parts[SHAPE]
        if values is None or bits is None or shape is None:
            missing = next(part for part, array in parts.items() if array is None)
            raise NiwakiError(f"{path}: {stem}.{missing} is missing: the file is damaged")
        weight = _dense(values, bits, shape)
        if weight is None:
            raise NiwakiError(
                f"{path}: {stem}: {VALUES} {list(values.shape)}, {BITS} {list(bits.shape)} and "
                f"{SHAPE} {shape.ravel().tolist()} contradict one another: the file is damaged"
            )
        weights[f"{stem}.weight"] = weight
        if is_24:
            weights.remark(
                stem,
                "read from sparse-24-bitmask, whose library keeps the two largest of every four "
                "weights: if more were not zero, they were lost when the file was written",
            )


def _dense(values: Array, bits: Array, shape: Array) -> Array | None:
    """None where they do not fit together."""
    sizes = tuple(int(size) for size in shape.ravel())
    rows = (*sizes[:-1], -(-sizes[-1] // 8)) if sizes else ()
    if not sizes or min(sizes) < 0 or bits.shape != rows or bits.dtype != np.uint8:
        return None
    mask = np.unpackbits(bits, axis=-1, count=sizes[-1], bitorder="little").astype(np.bool_)
    if np.count_nonzero(mask) != values.size:
        return None
    dense = np.zeros(sizes, values.dtype)
    dense[mask] = values.ravel()
    return dense
