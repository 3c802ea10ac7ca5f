"""Loops whose length is known when compiling: their bodies one after the other.

y = Loop(3, True, x) { x = Relu(x) }      -->      y = Relu(Relu(Relu(x)))

All turns read the same constants, so that a layer of the body is one layer that is called often.
Other loops, and those that are long, stay loops (`onnx_kept_loops.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_bodies import renamed_copy
from niwaki.frontend.onnx_branches import Names, own_names, rename_inputs
from niwaki.frontend.onnx_constants import take_constants
from niwaki.frontend.onnx_graph import OnnxGraph, attribute, describe
from niwaki.frontend.onnx_kept_loops import Resolve, kept_loop
from niwaki.frontend.onnx_rules import check_inference, check_nodes

_MOST = 500  # nodes of all turns together; 2,000 take minutes to compile

# Nodes to go on with, and perhaps the loop itself behind them.
Turn: TypeAlias = "list[onnx.NodeProto | Loop]"


class Loop:
    """A Loop node, some of whose turns are done."""

    def __init__(self, graph: OnnxGraph, node: onnx.NodeProto, names: Names) -> None:
        self.graph, self.node = graph, node
        self.what = f"{graph.path}: {describe(node)}: op 'Loop' (opset {graph.opset})"
        self.body: onnx.GraphProto = attribute(node, "body", onnx.GraphProto())
        given = [*node.input, "", ""][: max(2, len(node.input))]
        self.length, self.condition, *self.carried = given
        fits = len(self.body.input) == len(given) and len(self.body.output) >= len(given) - 1
        if not (fits and all(self.carried)):
            raise NiwakiError(f"{self.what} has a body for other values: the file is damaged")
        constants = take_constants(graph.path, self.body)
        self.shared = {name: names.unique(name) for name in constants}
        graph.constants.update((self.shared[name], value) for name, value in constants.items())
        self.collected: list[list[str]] = [[] for _ in self.body.output[1 + len(self.carried) :]]
        self.turns = 0

    def next_turn(self, names: Names, renamed: Mapping[str, str], resolve: Resolve) -> Turn:
        """One turn and the loop again, or what gives its results after the last.

        Where it is not known whether there is one, or there are many, all of them stay a loop.
        """
        for name in filter(None, (self.length, self.condition)):
            value = self.graph.constants.get(renamed.get(name, name))
            if value is None or value.size != 1:
                return [self._kept(renamed, resolve)]
            if not value.all() or (name == self.length and self.turns >= value.item()):
                return [*self._results()]
            if name == self.length and value.item() * len(self.body.node) > _MOST:
                return [self._kept(renamed, resolve)]
        if self.turns * len(self.body.node) >= _MOST:
            return [self._kept(renamed, resolve)]
        return [*self._unrolled(names), self]

    def _kept(self, renamed: Mapping[str, str], resolve: Resolve) -> onnx.NodeProto:
        """The loop from its first turn on: nobody reads the results of turns that are done."""
        body = renamed_copy(self.body, {**renamed, **self.shared})
        return kept_loop(self.graph, self.node, body, self.what, resolve)

    def _unrolled(self, names: Names) -> list[onnx.NodeProto]:
        """The body's nodes for the next turn, under names of their own."""
        number, goes_on = (names.unique(value.name) for value in self.body.input[:2])
        self.graph.constants[number] = np.array(self.turns)
        self.graph.constants[goes_on] = np.array(True)
        own = {name: names.unique(name) for name in dict.fromkeys(own_names(self.body))}
        given = [number, goes_on, *self.carried]
        new = self.shared | own
        new |= {value.name: name for value, name in zip(self.body.input, given, strict=True)}
        made = []
        for original in self.body.node:
            node = onnx.NodeProto()
            node.CopyFrom(original)
            rename_inputs(node, new)
            node.output[:] = [new.get(name, name) for name in node.output]
            made.append(node)
        check_nodes(self.graph.path, made, self.graph.opset, ())
        check_inference(self.graph, made)
        results = [new.get(value.name, value.name) for value in self.body.output]
        count = len(self.carried)
        self.condition, self.carried = results[0], results[1 : 1 + count]
        for values, result in zip(self.collected, results[1 + count :], strict=True):
            values.append(result)
        self.turns += 1
        return made

    def _results(self) -> list[onnx.NodeProto]:
        made = []
        outputs = list(self.node.output)
        for value, name in zip(self.carried, outputs, strict=False):
            if name:
                made.append(onnx.helper.make_node("Identity", [value], [name]))
        for values, name in zip(self.collected, outputs[len(self.carried) :], strict=False):
            if name and not values:
                raise NiwakiError(f"{self.what} makes no turn, so that {name!r} has no elements")
            if name:
                made += self._joined(values, name)
        return made

    def _joined(self, values: Sequence[str], name: str) -> list[onnx.NodeProto]:
        """What each turn gives, along a new first dimension."""
        axis = f"{name}::axis"
        self.graph.constants[axis] = np.array([0])
        rows = [f"{name}::{turn}" for turn in range(len(values))]
        by_input = self.graph.opset >= 13
        made = [
            onnx.helper.make_node("Unsqueeze", [value, axis], [row])
            if by_input
            else onnx.helper.make_node("Unsqueeze", [value], [row], axes=[0])
            for value, row in zip(values, rows, strict=True)
        ]
        return [*made, onnx.helper.make_node("Concat", rows, [name], axis=0)]
