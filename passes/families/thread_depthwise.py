"""Depthwise convolutions, for threads of a GPU that compute neighbouring pixels."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki.dialects import LINE_WORDS, Stream, ThreadDepthwiseAttr, ints
from niwaki.schemes import Dense
from niwaki.targets import Target

from ..base import PassFailure
from ..choice import Candidate
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..kernels.thread_depthwise import ThreadDepthwise, thread_depthwise_kernel
from ..layers import takes_depthwise_kernel, tap_places
from .base import KernelFamily, Layer, Packed, conv_layouts, conv_sizes
from .streams import constants_in_heads, packed_words, stream_operands

# Pixels of a thread: more share more loads, but then few threads have work.
PIXELS = 8


class ThreadDepthwiseFamily(KernelFamily):
    """The kernel for depthwise convolutions on GPUs."""

    kernel = ThreadDepthwiseAttr
    arrays = Stream
    backends = ("gpu",)

    def candidates(self, layer: Layer) -> Iterator[Candidate]:
        """One, whose threads share rows evenly, without an estimate."""
        if not takes_depthwise_kernel(layer.op, layer.target):
            return
        row = conv_layouts(layer.op)[1].sizes[-1]
        threads = -(-row // min(PIXELS, layer.most.vectors))
        yield Candidate(Dense(), ThreadDepthwiseAttr.of(-(-row // threads)))

    def storage(self, kernel: Any) -> Hashable:
        """All of one form."""
        return Stream, 1

    def pack(self, op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
        """Channel after channel: operands of its filter, then all taps."""
        scheme = op.scheme.scheme
        if scheme != Dense():
            told = f"has a depthwise kernel, which reads all taps, for {scheme}"
            raise PassFailure(op.location, told)
        constants = constants_in_heads(list(op.per_filter))
        words, channels = channel_words(weights[:, 0], constants), weights.shape[0]
        return packed_words(words, channels, channels, len(constants))

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Rows of the result are read from where windows take them, by a fixed distance a tap."""
        sizes, in_heads = conv_sizes(op, target), op.in_heads.value
        del sizes["weight_lanes"]
        sizes["channels"] = sizes.pop("filters")
        distances = tuple(distance for _, distance in tap_places(op))
        conv = ThreadDepthwise(
            **sizes, strides=ints(op.strides), distances=distances, in_heads=in_heads
        )
        return thread_depthwise_kernel(conv, op.epilogue.blocks[0]), stream_operands(op)


def channel_words(
    weights: npt.NDArray[Any], per_filter: Sequence[npt.NDArray[Any]]
) -> npt.NDArray[np.int32]:
    """The one array of `packed_stream.py`: of ``weights[channels, taps]`` and operands."""
    parts = [whole_lines(numbers[:, None]) for numbers in per_filter]
    return np.concatenate([*parts, whole_lines(weights)], axis=1).ravel()


def whole_lines(rows: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Each row as words of whole lines, with zeros at the end."""
    line = LINE_WORDS * 4 // rows.itemsize
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % line)))
    return np.ascontiguousarray(padded).view(np.int32)
