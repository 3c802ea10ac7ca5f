"""Transposed convolutions of ONNX as ordinary ones, so that their pruned weights are skipped too.

    ConvTranspose(x, w) {strides = [2, 2]}         w: 3x3
      -->
    Reshape(Transpose(Reshape(Conv(x, v))))        v: 2x2, with 4 times as many filters

`subpixel` has the arithmetic, which is that of PyTorch's graphs. It needs no more of padding than
where the result begins and ends, so that unequal padding, `auto_pad` and `output_shape` are nothing
special. torch-mlir has none of the three, nor depthwise ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import torch

from niwaki.frontend.onnx_graph import OnnxGraph, attribute
from niwaki.frontend.onnx_transposed_axes import transposed_axes
from niwaki.frontend.subpixel import ordinary_weight


def lower_onnx_transposed(graph: OnnxGraph) -> None:
    """Rewrite each ConvTranspose of `graph` whose weights and bias are constants."""
    nodes: list[onnx.NodeProto] = []
    for node in graph.nodes:
        constant = all(name in graph.constants for name in node.input[1:] if name)
        if node.op_type == "ConvTranspose" and constant:
            nodes += _Phases(graph, node).nodes
        else:
            nodes.append(node)
    graph.nodes = nodes
    graph.remove_unused()


class _Phases:
    """The nodes that replace one transposed convolution."""

    def __init__(self, graph: OnnxGraph, node: onnx.NodeProto) -> None:
        self.graph, self.node = graph, node
        self.nodes: list[onnx.NodeProto] = []
        self.name = graph.names[node.output[0]]
        self.groups = attribute(node, "group", 1)
        sizes, taps = (graph.type_of(name).shape[2:] for name in node.input[:2])
        self.axes = transposed_axes(node, sizes, taps)
        self._interleave(self._convolve())
        self.nodes[-1].output[0] = node.output[0]
        graph.names[node.output[0]] = self.name

    def _convolve(self) -> str:
        """The ordinary convolution that computes all phases."""
        graph, axes = self.graph, self.axes
        x, weight, *bias = (name for name in self.node.input if name)
        dense = torch.tensor(graph.constants[weight])  # a copy: PyTorch has no read-only tensors
        value = ordinary_weight(dense, axes, self.groups).numpy()
        constants = [graph.add_constant(f"{self.name}.phases_weight", value)]
        if bias:
            phases = math.prod(axis.stride for axis in axes)
            each = graph.constants[bias[0]].reshape(self.groups, 1, -1)
            repeated = each.repeat(phases, axis=1).reshape(-1)
            constants.append(graph.add_constant(f"{self.name}.phases_bias", repeated))
        before, after = zip(*(axis.sides() for axis in axes), strict=True)
        shape = [graph.type_of(x).shape[0], value.shape[0], *(axis.rows for axis in axes)]
        return self._op(
            "Conv",
            [x, *constants],
            shape,
            pads=[*before, *after],
            dilations=[axis.step for axis in axes],
            group=self.groups,
        )

    def _interleave(self, phases: str) -> None:
        """Put the phases' positions where they belong; the last of them may be too many."""
        axes, rank = self.axes, len(self.axes)
        images, filters = self.graph.type_of(self.node.output[0]).shape[:2]
        result = phases
        if any(axis.stride > 1 for axis in axes):
            strides, rows = [axis.stride for axis in axes], [axis.rows for axis in axes]
            split = [images, self.groups, *strides, filters // self.groups, *rows]
            pairs = [dim for axis in range(rank) for dim in (3 + rank + axis, 2 + axis)]
            order = [0, 1, 2 + rank, *pairs]
            result = self._reshape(result, split)
            result = self._op("Transpose", [result], [split[dim] for dim in order], perm=order)
            sizes = [axis.stride * axis.rows for axis in axes]
            result = self._reshape(result, [images, filters, *sizes])
        wanted = [axis.result for axis in axes]
        if self.graph.type_of(result).shape[2:] != tuple(wanted):
            bounds = [[0] * rank, wanted, list(range(2, 2 + rank))]
            inputs = [result, *map(self._numbers, bounds)]
            self._op("Slice", inputs, [images, filters, *wanted])

    def _reshape(self, value: str, shape: Sequence[int]) -> str:
        return self._op("Reshape", [value, self._numbers(shape)], shape)

    def _numbers(self, values: Sequence[int]) -> str:
        return self.graph.add_constant(f"{self.name}.numbers", np.array(values, np.int64))

    def _op(self, op: str, inputs: list[str], shape: Sequence[int], **attributes: Any) -> str:
        type_ = self.graph.type_of(self.node.output[0])._replace(shape=tuple(shape))
        result = self.graph.add_value(f"{self.name}.{op}", type_)
        made = onnx.helper.make_node(op, inputs, [result], self.node.name, **attributes)
        self.nodes.append(made)
        self.graph.names[result] = self.name
        return result
