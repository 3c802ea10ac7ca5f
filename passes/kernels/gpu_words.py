"""Lines of four words of 32 bits, in which threads of a GPU read what is packed."""

from __future__ import annotations

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, vector

from .indices import Index
from .vectors import cut, lane_type


def word_index(word: ir.Value) -> Index:
    """A word of 32 bits as an index."""
    return Index(arith.index_cast(ir.IndexType.get(), word))


def fours(kind: ir.Type, line: ir.Value) -> list[ir.Value]:
    """The floats that four words are, in vectors of four."""
    words = ir.FloatType(kind).width // 8
    parts = [line] if words == 4 else cut(line, words)
    return [vector.bitcast(lane_type(kind, 4), part) for part in parts]
