"""How many buffers a layer's kernel has on a GPU, where shaders have few.

    input | words of the stream | operands per filter that are not in it | per position | result

What a kernel needs beside, where its result lies in a concatenation, is no buffer there
(`calls.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from niwaki.dialects import PoolOp

from .base import dense_value


def buffers_of(layer: Any, per_filter: Sequence[Any], per_position: Sequence[Any]) -> int:
    """Of a convolution, linear layer or pooling with such operands of its epilogue.

    Those per filter are values, or arrays that are to become constants.
    """
    streams = not isinstance(layer, PoolOp)
    in_stream = leading_constants(per_filter) if streams else 0
    return 2 + streams + len(per_filter) - in_stream + len(per_position)


def leading_constants(per_filter: Sequence[Any]) -> int:
    """How many operands are constants, up to the first one that is not."""
    known = [isinstance(one, np.ndarray) or dense_value(one) is not None for one in per_filter]
    return [*known, False].index(False)
