"""Constants of a graph, out of its protobuf message and into numpy, however the file writes them.

initializer, sparse_initializer
Constant {value}, Constant {sparse_value}, Constant {value_float}, Constant {value_ints}, ...
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_graph import Array
from niwaki.frontend.onnx_rules import STANDARD_DOMAINS
from niwaki.frontend.onnx_sparse import read_sparse
from niwaki.frontend.onnx_weights import read_tensor


def take_constants(path: Path, graph: onnx.GraphProto) -> dict[str, Array]:
    """Remove initializers and `Constant` nodes from `graph`, of file `path`; their values by name.

    Raises:
        NiwakiError: a value is missing, damaged or of no supported type.
    """
    constants = {value.name: read_tensor(value, path, value.name) for value in graph.initializer}
    for sparse in graph.sparse_initializer:
        constants[sparse.values.name] = read_sparse(sparse, path, sparse.values.name)
    graph.ClearField("initializer")
    graph.ClearField("sparse_initializer")
    for index in reversed(range(len(graph.node))):
        node = graph.node[index]
        if node.op_type == "Constant" and node.domain in STANDARD_DOMAINS and node.output:
            constants[node.output[0]] = _value(path, node)
            del graph.node[index]
    return constants


def _value(path: Path, node: onnx.NodeProto) -> Array:
    name = node.output[0]
    found = {item.name: item for item in node.attribute}
    if len(found) != 1:
        raise NiwakiError(
            f"{path}: constant {name!r} has {len(found)} values, not one: the file is damaged"
        )
    ((form, item),) = found.items()
    if form == "value":
        return read_tensor(item.t, path, name)
    if form == "sparse_value":
        return read_sparse(item.sparse_tensor, path, name)
    if form in ("value_float", "value_floats"):
        return np.array(item.f if form == "value_float" else item.floats, np.float32)
    if form in ("value_int", "value_ints"):
        return np.array(item.i if form == "value_int" else item.ints, np.int64)
    raise NiwakiError(f"{path}: constant {name!r} is text, which is not supported: leave it out")
