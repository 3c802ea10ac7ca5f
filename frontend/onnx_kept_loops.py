"""Loops that stay loops: their bodies become graphs of their own.

y = Loop(n, "", x) { x = Relu(MatMul(x, w)) }
  -->
y = niwaki.loop(n, "", x)      and the graph loop_0(x) = Relu(MatMul(x, w)) beside it

Constants from outside are constants of the body, too. Other values from outside become its inputs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.loop_op import ENDLESS, NAME, LoopOptions
from niwaki.frontend.onnx_branches import own_names
from niwaki.frontend.onnx_graph import DOMAIN, Array, OnnxGraph, TensorType, subgraphs
from niwaki.frontend.onnx_rules import check_inference, check_nodes

# Folds constants in a graph and sets its types.
Resolve = Callable[[OnnxGraph], None]

_SCALAR = "result::scalar"  # the shape of a condition, which may also be a list of one

_TURN = TensorType(onnx.TensorProto.INT64, ())


def kept_loop(
    graph: OnnxGraph,
    node: onnx.NodeProto,
    body: onnx.GraphProto,
    constants: Mapping[str, Array],
    what: str,
    resolve: Resolve,
) -> onnx.NodeProto:
    """The op of ours for a Loop `node`, whose body has `constants` of its own.

    Raises:
        NiwakiError: the loop never ends, a value has another type in each turn, or there are as
            many results as the data says.
    """
    length, condition, *carried = [*node.input, "", ""][: max(2, len(node.input))]
    turn, _, *formal = (value.name for value in body.input)
    types = dict(zip(formal, map(graph.type_of, carried), strict=True))
    outer = list(_outer_names(graph, body))
    read = [name for name in outer if name not in graph.constants]
    inner = _body_graph(graph, body, constants, outer, types)
    resolve(inner)

    flag = inner.constants.get(inner.outputs[0])
    conditional = bool(condition) or flag is None or not flag.all()
    if not conditional and not length:
        raise NiwakiError(f"{what} never ends: give it a length, or let its body say when")
    if not conditional:
        inner.outputs = inner.outputs[1:]
        inner.remove_unused()
    numbered = turn in inner.uses()
    inputs = [*[turn] * numbered, *formal, *read]
    inner.inputs = [onnx.helper.make_tensor_value_info(v, *inner.types[v]) for v in inputs]
    turns = graph.constants[length].item() if length in graph.constants else None
    options = LoopOptions(
        body=f"loop_{len(graph.bodies)}",
        carried=len(carried),
        turns=turns if length else ENDLESS,
        conditional=conditional,
        numbered=numbered,
    )
    graph.bodies[options.body] = inner
    given = [inner.type_of(name) for name in inner.outputs[conditional:]]
    _check_carried(what, types, given)
    collected = list(_collected(what, given[len(carried) :], None if conditional else turns))
    results = dict(_results(graph, node.output, [*types.values(), *collected]))
    graph.types.update(results)
    made = onnx.helper.make_node(
        f"{DOMAIN}.{NAME}",
        ["" if turns is not None else length, condition, *carried, *read],
        list(results),
        node.name,
        domain=DOMAIN,
        options=json.dumps({"loop": options.as_dict()}),
    )
    made.metadata_props.extend(node.metadata_props)
    return made


def _body_graph(
    graph: OnnxGraph,
    body: onnx.GraphProto,
    constants: Mapping[str, Array],
    outer: Iterable[str],
    carried: Mapping[str, TensorType],
) -> OnnxGraph:
    """The graph of a body that reads `outer` values, and `carried` ones of these types."""
    turn, goes_on, *_ = (value.name for value in body.input)
    known = {name: graph.constants[name] for name in outer if name in graph.constants}
    read = {name: graph.type_of(name) for name in outer if name not in known}
    made = replace(
        graph,
        nodes=list(_with_own_results(body)),
        outputs=[_result(number) for number in range(len(body.output))],
        constants={**known, **constants, goes_on: np.array(True), _SCALAR: np.zeros(0, np.int64)},
        types={turn: _TURN, **carried, **read},
        is_body=True,
    )
    check_nodes(graph.path, made.nodes, graph.opset, ())
    check_inference(graph, made.nodes)
    return made


def _check_carried(what: str, types: Mapping[str, TensorType], given: Sequence[TensorType]) -> None:
    for (name, before), after in zip(types.items(), given, strict=False):
        if before != after:
            shapes = f"{list(before.shape)} before a turn and {list(after.shape)} after it"
            raise NiwakiError(
                f"{what} has a value {name!r} of {shapes}: give the loop a length that is a "
                "constant, or keep the value's size and type"
            )


def _collected(what: str, parts: Sequence[TensorType], turns: int | None) -> Iterator[TensorType]:
    """Types of what all turns give together."""
    for part in parts:
        if turns is None:
            raise NiwakiError(
                f"{what} collects a result of each turn, and how many turns there are depends on "
                "the data: give it a length that is a constant, or keep the last result alone"
            )
        yield TensorType(part.element, (turns, *part.shape))


def _results(
    graph: OnnxGraph, names: Sequence[str], types: Sequence[TensorType]
) -> Iterator[tuple[str, TensorType]]:
    """Results with their types; those that nobody reads get names, since an op of ours has all."""
    for number, kind in enumerate(types):
        name = names[number] if number < len(names) else ""
        yield name or graph.add_value(f"{names[0]}::{number}", kind), kind


def _result(number: int) -> str:
    """What a body's result is called that may be another one, too, or one of its inputs."""
    return f"result::{number}"


def _with_own_results(body: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Copies of the nodes of `body`, and nodes that give its results names of their own."""
    for original in body.node:
        node = onnx.NodeProto()
        node.CopyFrom(original)
        yield node
    condition, *values = (value.name for value in body.output)
    yield onnx.helper.make_node("Reshape", [condition, _SCALAR], [_result(0)])
    for number, name in enumerate(values, 1):
        yield onnx.helper.make_node("Identity", [name], [_result(number)])


def _outer_names(graph: OnnxGraph, body: onnx.GraphProto) -> Iterator[str]:
    """What `body` reads of the graph around it."""
    own = {*own_names(body), *(value.name for value in body.input)}
    mentioned = [*_read(body.node), *(value.name for value in body.output)]
    for name in dict.fromkeys(mentioned):
        if name not in own and (name in graph.constants or name in graph.types):
            yield name


def _read(nodes: Iterable[onnx.NodeProto]) -> Iterator[str]:
    """All names that nodes read, in bodies of their own too."""
    for node in nodes:
        yield from node.input
        for body in subgraphs(node):
            yield from _read(body.node)
            yield from (value.name for value in body.output)
