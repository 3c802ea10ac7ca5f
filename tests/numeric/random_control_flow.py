"""Random ONNX networks of layers, loops and branches in one another.

How many turns loops make and which branches are run depends on inputs, on turns of loops around
them, and on what has been computed. Sizes are the same everywhere.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx_models import Arrays, model, node, normal

from .cases import Array

SHAPE = (3, 4)
DEEPEST = 2
KINDS = ("layer", "tanh", "neg", "scaled", "sum", "loop", "branch")
FACTORS = (0.5, -1.0, 0.0, 1.0)
LENGTHS = ("n", "m", "two")
CALLS = ((0, 0), (1, 2), (3, 1), (2, 5))


def random_control_flow(seed: int) -> tuple[onnx.ModelProto, list[Arrays]]:
    """A network, and inputs to call it with."""
    inputs = {"x": normal(*SHAPE), "x2": normal(*SHAPE, seed=9), "n": np.array(3), "m": np.array(1)}
    writer = Writer(seed)
    nodes, values = writer.block(["x", "x2"], [], 0, writer.random.randint(3, 7))
    nodes.append(node("Tanh", values[-1], to="y"))
    made = model(nodes, inputs, writer.constants)
    return made, [inputs | {"n": np.array(n), "m": np.array(m)} for n, m in CALLS]


class Writer:
    """Writes nodes one after the other, and collects the constants that they read."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.constants: Arrays = {"two": np.array(2)}
        self.names = 0

    def block(
        self, known: Sequence[str], outer: Sequence[str], depth: int, count: int
    ) -> tuple[list[onnx.NodeProto], list[str]]:
        """`count` nodes that read `known` values, and now and then `outer` ones; and all values."""
        made, values = list[onnx.NodeProto](), list(known)
        for _ in range(count):
            kind = self.random.choice(KINDS if depth < DEEPEST else KINDS[:5])
            write = {"loop": self.loop, "branch": self.branch}.get(kind)
            if write is None:
                made.append(self.step(kind, values, outer))
            else:
                made += write(values, outer, depth)
            values += made[-1].output
        return made, values

    def step(self, kind: str, values: Sequence[str], outer: Sequence[str]) -> onnx.NodeProto:
        """One layer or elementwise op."""
        given, to = self.random.choice(values), self.new("v")
        if kind == "layer":
            weight = normal(4, 4, seed=self.names) / 2
            kept = self.random.choice((0.0, 0.3, 1.0, 1.0))
            mask = np.random.default_rng(self.names).random((4, 4)) < kept
            return node("MatMul", given, self.constant(np.where(mask, weight, 0)), to=to)
        if kind == "sum":
            return node("Add", given, self.random.choice([*values, *outer]), to=to)
        if kind == "scaled":
            factor = np.array(self.random.choice(FACTORS))
            return node("Mul", given, self.constant(factor), to=to)
        return node(kind.title(), given, to=to)

    def loop(self, values: Sequence[str], outer: Sequence[str], depth: int) -> list[onnx.NodeProto]:
        """A loop that carries up to three values, some of which end it."""
        begins = self.random.choices(values, k=self.random.randint(1, 3))
        turn, before, goes_on = self.new("i"), self.new("c"), self.new("g")
        carried = [self.new("a") for _ in begins]
        nodes, inner = self.block(carried, [*outer, *values], depth + 1, self.random.randint(1, 4))
        steps, results = self.bounded(inner, len(begins))
        ends = [node("Identity", before, to=goes_on)]
        if self.random.random() < 0.4:
            ends = self.condition(results[0], goes_on)
        body = helper.make_graph(
            [*nodes, *steps, *ends],
            "body",
            [_value(turn, "INT64"), _value(before, "BOOL"), *map(_value, carried)],
            [_value(goes_on, "BOOL"), *map(_value, results)],
        )
        to = [self.new("u") for _ in begins]
        return [node("Loop", self.random.choice(LENGTHS), "", *begins, to=to, body=body)]

    def branch(
        self, values: Sequence[str], outer: Sequence[str], depth: int
    ) -> list[onnx.NodeProto]:
        """A choice by what has been computed, of up to two results."""
        condition, count = self.new("c"), self.random.randint(1, 2)
        bodies = []
        for _ in range(2):
            seen = [*outer, *values]
            nodes, inner = self.block(values, seen, depth + 1, self.random.randint(0, 3))
            steps, results = self.bounded(inner, count)
            body = helper.make_graph([*nodes, *steps], "branch", [], [*map(_value, results)])
            bodies.append(body)
        to = [self.new("u") for _ in range(count)]
        made = node("If", condition, to=to, then_branch=bodies[0], else_branch=bodies[1])
        return [*self.condition(self.random.choice(values), condition), made]

    def bounded(self, values: Sequence[str], count: int) -> tuple[list[onnx.NodeProto], list[str]]:
        """Results of a body, kept from growing; the last value is among them."""
        chosen = [values[-1], *self.random.choices(values, k=count - 1)]
        results = [self.new("r") for _ in chosen]
        made = [node("Tanh", one, to=to) for one, to in zip(chosen, results, strict=True)]
        return made, results

    def condition(self, value: str, to: str) -> list[onnx.NodeProto]:
        """Whether all elements are below a number: it is seldom close to one of them."""
        most, bound = self.new("t"), self.constant(np.array(0.51))
        return [node("ReduceMax", value, to=most, keepdims=0), node("Less", most, bound, to=to)]

    def constant(self, value: Array) -> str:
        name = self.new("w")
        self.constants[name] = value.astype(np.float32)
        return name

    def new(self, kind: str) -> str:
        self.names += 1
        return f"{kind}{self.names}"


def _value(name: str, kind: str = "FLOAT") -> onnx.ValueInfoProto:
    shape = SHAPE if kind == "FLOAT" else ()
    return helper.make_tensor_value_info(name, TensorProto.DataType.Value(kind), shape)
