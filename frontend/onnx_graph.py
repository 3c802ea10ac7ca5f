"""An ONNX graph while it is prepared for the import: nodes as ONNX has them, constants in numpy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray

from niwaki.records import Remark

Array = NDArray[Any]

# Of these torch-mlir wants all results, needed or not; so do ops of our own domain.
_ALL_OUTPUTS = ("Split", "TopK")

# Of nodes that are ops of ours: rules make them, and `set_aside` takes them through torch-mlir.
DOMAIN = "niwaki"
# Nodes of all other opsets are rewritten as those of this one, which torch-mlir knows best.
IMPORTED_AS = 21


class TensorType(NamedTuple):
    """Element type (a number of `onnx.TensorProto.DataType`) and static shape of a value."""

    element: int
    shape: tuple[int, ...]


@dataclass
class OnnxGraph:
    """A graph whose weights are out of its protobuf message, which copies them at every turn.

    `opset` is the file's; the nodes that `resolve` leaves are of `IMPORTED_AS`. `inputs` are as the
    file declares them, sizes that may change included. `types` has the inputs and what nodes
    compute, once `resolve` has run; `names` the layer of each node, by its first output, once
    `name_layers` has. `bodies` are those of loops and branches that stay, of those
    inside of them too, by name.
    """

    path: Path
    opset: int
    nodes: list[onnx.NodeProto]
    inputs: list[onnx.ValueInfoProto]
    outputs: list[str]
    constants: dict[str, Array]
    types: dict[str, TensorType] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    bodies: dict[str, OnnxGraph] = field(default_factory=dict)

    def type_of(self, name: str) -> TensorType:
        """Type of a constant, an input or a computed value."""
        if name not in self.constants:
            return self.types[name]
        array = self.constants[name]
        return TensorType(onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)

    def is_unsigned_constant(self, name: str) -> bool:
        return name in self.constants and self.constants[name].dtype.kind == "u"

    def uses(self) -> Counter[str]:
        """How often each value is read, the graph's outputs included."""
        return Counter([*(name for node in self.nodes for name in node.input), *self.outputs])

    def add_constant(self, name: str, value: Array) -> str:
        """Add `value` under `name`, with a number behind it where that is taken."""
        unique, number = name, 0
        while unique in self.constants or unique in self.types:
            number += 1
            unique = f"{name}_{number}"
        self.constants[unique] = value
        return unique

    def add_value(self, name: str, type_: TensorType) -> str:
        """A new name like `name` for what a node computes."""
        unique = self.add_constant(name, np.empty(0))
        del self.constants[unique]
        self.types[unique] = type_
        return unique

    def remove_unused(self) -> None:
        """Drop what no output depends on: nodes, their last outputs, constants."""
        needed = set(self.outputs)
        kept = []
        for node in reversed(self.nodes):
            if needed.isdisjoint(node.output):
                continue
            keeps_all = node.op_type in _ALL_OUTPUTS or node.domain == DOMAIN
            while node.output[-1] not in needed and not keeps_all:
                del node.output[-1]
            needed.update(node.input)
            kept.append(node)
        self.nodes = kept[::-1]
        self.constants = {name: self.constants[name] for name in self.constants if name in needed}


def type_name(element: int) -> str:
    """numpy's name of an element type, ONNX's own where numpy has none."""
    try:
        return str(onnx.helper.tensor_dtype_to_np_dtype(element))
    except KeyError:
        return f"element type {element}"


def attribute(node: onnx.NodeProto, name: str, default: Any) -> Any:
    """Value of a node's attribute; `default` where it has none."""
    for item in node.attribute:
        if item.name == name:
            return onnx.helper.get_attribute_value(item)
    return default


def describe(node: onnx.NodeProto) -> str:
    """A node as messages name it: by its name, or else by what it computes."""
    if node.name:
        return f"node {node.name!r}"
    return f"the node that computes {next(filter(None, node.output), '')!r}"


def subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """The graphs in a node's attributes, which make it control flow."""
    for item in node.attribute:
        if item.type == onnx.AttributeProto.GRAPH:
            yield item.g
        yield from item.graphs
