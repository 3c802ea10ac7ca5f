"""Masks that an exporter left in an ONNX file, multiplied into the weights they belong to.

weight_orig, weight_mask -> Mul -> Conv     -->     weight -> Conv

PyTorch's exporter keeps the product of `torch.nn.utils.prune` for large weights and folds it for
small ones.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from .frontend.onnx_weights import read_tensor

ORIGINAL = "_orig"  # what `torch.nn.utils.prune` adds to a weight's name


def fold_masks(model: onnx.ModelProto, path: Path) -> None:
    """Replace each product of two constants of one shape by a constant, in place."""
    graph = model.graph
    attributes = [item for node in graph.node for item in node.attribute]
    if any(item.HasField("g") or item.graphs for item in attributes):
        return  # a loop's or condition's own graph may read them by name
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    results = {value.name for value in graph.output}
    taken = {name for node in graph.node for name in (*node.input, *node.output)} | {*tensors}
    folded: dict[str, str] = {}
    for node in list(graph.node):
        factors = [tensors[name] for name in node.input if name in tensors]
        if node.op_type != "Mul" or len(factors) < 2 or node.output[0] in results:
            continue
        if factors[0].dims != factors[1].dims:
            continue
        product = np.multiply(*(read_tensor(factor, path, factor.name) for factor in factors))
        names = [name.removesuffix(ORIGINAL) for name in node.input if name.endswith(ORIGINAL)]
        name = next((name for name in names if name not in taken), node.output[0])
        taken.add(name)
        folded[node.output[0]] = name
        graph.initializer.append(onnx.numpy_helper.from_array(product, name))
        graph.node.remove(node)
    for node in graph.node:
        node.input[:] = [folded.get(name, name) for name in node.input]
    if folded:
        _drop_unused(graph)


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Take constants away that nothing reads any more."""
    used = {name for node in graph.node for name in node.input}
    used |= {value.name for value in (*graph.input, *graph.output)}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
