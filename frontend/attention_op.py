"""The op that attentions of either frontend become: what it is told, and how it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch_mlir import ir

from niwaki.dialects import PLAIN_AXES, build_attention
from niwaki.frontend.set_aside import Held

NAME = "attention"


def attention_options(
    scale: float,
    *,
    softcap: float = 0.0,
    offset: int | None = None,
    axes: Sequence[Sequence[int]] = (PLAIN_AXES,) * 4,
    zeros: bool = True,
) -> dict[str, Any]:
    """What the op is told besides queries, keys, values and a mask: see `build_attention`."""
    told = {"scale": scale, "softcap": softcap, "offset": offset}
    return {**told, "axes": axes, "zeros": zeros}


def make_attention(held: Held, operands: Sequence[ir.Value | None]) -> Sequence[ir.Value]:
    """The op of the dialect."""
    return [build_attention(held.results[0], *operands, **held.options).result]
