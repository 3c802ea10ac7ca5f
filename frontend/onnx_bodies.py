"""Bodies of control flow that stays: graphs of their own, which nodes of ours name.

Constants from outside are constants of a body, too. Other values from outside become its inputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import onnx

from niwaki.frontend.onnx_branches import own_names, rename_outer
from niwaki.frontend.onnx_graph import DOMAIN, Array, OnnxGraph, TensorType, subgraphs
from niwaki.frontend.onnx_rules import check_inference, check_nodes


def renamed_copy(body: onnx.GraphProto, names: Mapping[str, str]) -> onnx.GraphProto:
    """A copy of `body` that reads values from outside under their new `names`."""
    made = onnx.GraphProto()
    made.CopyFrom(body)
    rename_outer(made, names)
    return made


def body_graph(
    graph: OnnxGraph,
    nodes: Sequence[onnx.NodeProto],
    results: int,
    constants: Mapping[str, Array],
    outer: Iterable[str],
    types: Mapping[str, TensorType],
) -> OnnxGraph:
    """The graph of a body that reads `outer` values, and others of these `types`.

    Its nodes give so many `results`, which are called as `result_name` says.
    """
    known = {name: graph.constants[name] for name in outer if name in graph.constants}
    read = {name: graph.type_of(name) for name in outer if name not in known}
    made = replace(
        graph,
        nodes=list(nodes),
        outputs=[result_name(number) for number in range(results)],
        constants={**known, **constants},
        types={**types, **read},
    )
    check_nodes(graph.path, made.nodes, graph.opset, ())
    check_inference(graph, made.nodes)
    return made


def set_inputs(body: OnnxGraph, names: Iterable[str]) -> None:
    """Let `body` have these of its values as inputs."""
    body.inputs = [onnx.helper.make_tensor_value_info(name, *body.types[name]) for name in names]


def result_name(number: int) -> str:
    """What a body's result is called that may be another one, too, or one of its inputs."""
    return f"result::{number}"


def outer_names(graph: OnnxGraph, body: onnx.GraphProto) -> Iterator[str]:
    """What `body` reads of the graph around it."""
    own = {*own_names(body), *(value.name for value in body.input)}
    mentioned = [*_read(body.node), *(value.name for value in body.output)]
    for name in dict.fromkeys(mentioned):
        if name not in own and (name in graph.constants or name in graph.types):
            yield name


def own_node(
    graph: OnnxGraph,
    node: onnx.NodeProto,
    name: str,
    given: Sequence[str],
    kinds: Sequence[TensorType],
    options: str,
) -> onnx.NodeProto:
    """The node of ours that stands for `node`, with results of these `kinds`.

    Those that nobody reads get names, since an op of ours has all.
    """
    results = []
    for number, kind in enumerate(kinds):
        known = node.output[number] if number < len(node.output) else ""
        results.append(known or graph.add_value(f"{node.output[0]}::{number}", kind))
        graph.types[results[-1]] = kind
    made = onnx.helper.make_node(
        f"{DOMAIN}.{name}", list(given), results, node.name, domain=DOMAIN, options=options
    )
    made.metadata_props.extend(node.metadata_props)
    return made


def _read(nodes: Iterable[onnx.NodeProto]) -> Iterator[str]:
    """All names that nodes read, in bodies of their own too."""
    for node in nodes:
        yield from node.input
        for body in subgraphs(node):
            yield from _read(body.node)
            yield from (value.name for value in body.output)
