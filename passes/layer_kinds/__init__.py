"""Kinds of layers with weights: a file each, listed here; the passes ask `kind_of`.

What detection, the choice of kernels, packing and reports need to know of a layer is its kind's:
which weights it has, what stands for them when they are packed, how it is described. Ops that are
no such layer have no kind.
"""

from __future__ import annotations

from typing import Any

from .base import LayerKind
from .conv import ConvKind
from .linear import LinearKind
from .recurrent import RecurrentKind

__all__ = ["LayerKind", "kind_of"]

KINDS: tuple[LayerKind, ...] = (ConvKind(), LinearKind(), RecurrentKind())


def kind_of(op: Any) -> LayerKind | None:
    """The kind of a layer that is not packed yet; None for any other op."""
    return next((kind for kind in KINDS if isinstance(op, kind.op)), None)
