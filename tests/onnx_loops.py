"""Small loops of ONNX.

loop([node("Sin", "a", to="b")])      -->      y = Loop(n, "", x) { a = Sin(a) }
"""

from __future__ import annotations

from collections.abc import Sequence

import onnx
from onnx import TensorProto, helper
from onnx_models import Arrays, node


def loop(
    nodes: Sequence[onnx.NodeProto],
    given: tuple[str, ...] = ("n", "", "x"),
    results: tuple[str, ...] = ("goes_on", "b"),
    to: tuple[str, ...] = ("y",),
    constants: Arrays | None = None,
    names: tuple[str, str, str] = ("i", "c", "a"),
    condition: Sequence[int] = (),
) -> onnx.NodeProto:
    """A Loop whose body reads a turn, a condition and a value, called `names`.

    The first of `results` copies the condition, unless a node computes it; `condition` is the shape
    of both.
    """
    turn, before, _ = names
    kinds = {turn: ("INT64", ()), before: ("BOOL", condition), results[0]: ("BOOL", condition)}
    inputs = names[: len(given)]
    computes = any(results[0] in made.output for made in nodes)
    copies = [] if computes else [node("Identity", before, to=results[0])]
    body = helper.make_graph(
        [*copies, *nodes],
        "body",
        [_value(name, kinds) for name in inputs],
        [_value(name, kinds) for name in results],
        [onnx.numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    return node("Loop", *given, to=to, body=body)


def _value(name: str, kinds: dict[str, tuple[str, Sequence[int]]]) -> onnx.ValueInfoProto:
    kind, shape = kinds.get(name, ("FLOAT", None))
    return helper.make_tensor_value_info(name, TensorProto.DataType.Value(kind), shape)
