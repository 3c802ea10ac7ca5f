"""Columns of patches back to an image, every position being known.

Col2Im(x: N x C*K x L)   -->   ReduceSum(Gather(x as N x C x K*L and a 0, K positions a pixel), -1)
"""

from __future__ import annotations

import math

import numpy as np

from niwaki.frontend.onnx_graph import Array
from niwaki.frontend.onnx_steps import Steps


def col2im(steps: Steps) -> None:
    image, block = steps.input_constant(1), steps.input_constant(2)
    assert image is not None  # which is checked before
    assert block is not None
    sources = _sources(steps, image.tolist(), block.tolist())
    batch, rows, columns = steps.input_shape()
    kernel = math.prod(block.tolist())
    channels = rows // kernel
    flat = steps.constant([batch, channels, kernel * columns])
    values = steps.op("Reshape", steps.node.input[0], flat)
    padded = steps.op("Pad", values, steps.constant([0, 0, 0, 0, 0, 1]), steps.number(0))
    patches = steps.op("Gather", padded, steps.constant(sources), axis=2)
    pixels = steps.op("ReduceSum", patches, steps.constant([3]), keepdims=0)
    steps.op("Reshape", pixels, steps.constant([batch, channels, *image.tolist()]))


def _sources(steps: Steps, image: list[int], block: list[int]) -> Array:
    """For each pixel and offset in the block, which value lands there: the last where none does."""
    rank = len(image)
    dilations = steps.attribute("dilations", [1] * rank)
    pads = steps.attribute("pads", [0] * 2 * rank)
    strides = steps.attribute("strides", [1] * rank)
    counts = [
        (size + before + after - dilation * (length - 1) - 1) // stride + 1
        for size, before, after, dilation, length, stride in zip(
            image, pads[:rank], pads[rank:], dilations, block, strides, strict=True
        )
    ]
    if min(counts) < 1 or math.prod(counts) != steps.input_shape()[2]:
        raise steps.refused(f"has other columns than {counts}", "give the sizes of its patches")
    offsets = np.stack(np.unravel_index(np.arange(math.prod(block)), block), -1)
    places = np.stack(np.unravel_index(np.arange(math.prod(counts)), counts), -1)
    pixels = places * strides - pads[:rank] + offsets[:, None] * dilations
    inside = ((pixels >= 0) & (pixels < image)).all(-1)
    found = np.full((math.prod(image), len(offsets)), inside.size)
    kernel = np.nonzero(inside)[0]
    found[np.ravel_multi_index(tuple(pixels[inside].T), image), kernel] = np.flatnonzero(inside)
    return found
