"""Building the nodes that replace an ONNX node.

def rule(steps: Steps) -> None:         Softsign(x)   -->   x / (1 + |x|)
    x = steps.node.input[0]
    steps.op("Div", x, steps.op("Add", steps.op("Abs", x), steps.number(1)))
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_graph import DOMAIN, Array, OnnxGraph, TensorType, attribute, describe

# What nodes note that are part of a layer.
PART = "niwaki.part"


class Steps:
    """Nodes that replace one; the last of them computes its result.

    A rule for several results sets `results`, to one value for each (empty: nobody reads it), and
    one that makes parts of a layer sets `part`, which is put behind the layer's name.
    """

    def __init__(self, graph: OnnxGraph, node: onnx.NodeProto) -> None:
        self.graph, self.node = graph, node
        self.nodes: list[onnx.NodeProto] = []
        self.results: list[str] = []
        self.part = ""
        self.count = 0

    def op(self, op_type: str, *inputs: str, **attributes: Any) -> str:
        """Append a node, named as the one it helps to replace; returns its result's name."""
        made = onnx.helper.make_node(
            op_type, inputs, [self._new_name()], self.node.name, **attributes
        )
        return self._append(made)[0]

    def own_op(
        self,
        name: str,
        inputs: Sequence[str],
        options: Mapping[str, Any],
        types: Sequence[TensorType],
    ) -> list[str]:
        """Append an op of ours whose results have `types`; returns the results' names."""
        made = onnx.helper.make_node(
            f"{DOMAIN}.{name}",  # in the torch dialect an op's name has no domain
            inputs,
            [self._new_name() for _ in types],
            self.node.name,
            domain=DOMAIN,
            options=json.dumps(options),
        )
        self.graph.types.update(zip(made.output, types, strict=True))
        return self._append(made)

    def _append(self, made: onnx.NodeProto) -> list[str]:
        made.metadata_props.extend(self.node.metadata_props)
        if self.part:
            made.metadata_props.add(key=PART, value=self.part)
        self.nodes.append(made)
        return list(made.output)

    def inline(self, part: onnx.NodeProto, names: dict[str, str]) -> None:
        """Append `part` of a body, whose values `names` are called here; it gets new ones too."""
        made = onnx.NodeProto()
        made.CopyFrom(part)
        made.name = self.node.name
        made.input[:] = [names.get(name, name) for name in part.input]
        names.update((name, self._new_name()) for name in part.output if name)
        made.output[:] = [names.get(name, "") for name in part.output]
        self.nodes.append(made)

    def constant(self, value: Any, dtype: Any = np.int64) -> str:
        name = self._new_name()
        self.graph.constants[name] = np.asarray(value, dtype)
        return name

    def number(self, value: float | Array) -> str:
        """A constant of the type of the replaced node's first input."""
        element = self.graph.type_of(self.node.input[0]).element
        return self.constant(value, onnx.helper.tensor_dtype_to_np_dtype(element))

    def slice(self, data: str, start: int, stop: int, axis: int) -> str:
        """`data[..., start:stop, ...]`"""
        places = (self.constant([place]) for place in (start, stop, axis))
        return self.op("Slice", data, *places)

    def take(self, data: str, index: int, axis: int) -> str:
        """`data` at an index along `axis`, which is gone afterwards."""
        return self.op("Squeeze", self.slice(data, index, index + 1, axis), self.constant([axis]))

    def input(self, number: int) -> str:
        """An input of the replaced node; empty where it is left out."""
        names = self.node.input
        return str(names[number]) if number < len(names) else ""

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute of the replaced node, text decoded; `default` where it has none."""
        value = attribute(self.node, name, default)
        return value.decode() if isinstance(value, bytes) else value

    def refused(self, what: str, remedy: str) -> NiwakiError:
        """An error about the node: what it does, and what to do instead."""
        place = f"{self.graph.path}: {describe(self.node)}: op {self.node.op_type!r}"
        return NiwakiError(f"{place} (opset {self.graph.opset}) {what}: {remedy}")

    def input_constant(self, number: int) -> Array | None:
        """The value of an input of the replaced node; None where it is left out or computed."""
        names = self.node.input
        return self.graph.constants.get(names[number]) if number < len(names) else None

    def input_shape(self) -> tuple[int, ...]:
        return self.graph.type_of(self.node.input[0]).shape

    def finished(self) -> list[onnx.NodeProto]:
        """The nodes, none where the node stays as it is."""
        if not self.nodes:
            return []
        if not self.results:
            self.nodes[-1].output[0] = self.node.output[0]
        for made, result in zip(self.results, self.node.output, strict=False):
            if result:
                self.nodes.append(onnx.helper.make_node("Identity", [made], [result]))
        return self.nodes

    def _new_name(self) -> str:
        """One that is free even where the node is itself the last one of another's steps."""
        while True:
            self.count += 1
            name = f"{self.node.output[0]}::{self.count}"
            if name not in self.graph.constants and name not in self.graph.types:
                return name
