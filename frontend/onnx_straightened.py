"""A graph without control flow: what is known of it when compiling is written out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_branches import Names, inlined, taken_branch
from niwaki.frontend.onnx_graph import OnnxGraph, describe
from niwaki.frontend.onnx_kept_branches import kept_branch
from niwaki.frontend.onnx_kept_loops import Resolve
from niwaki.frontend.onnx_loops import Loop
from niwaki.frontend.onnx_scan_loops import as_loop


def straightened(graph: OnnxGraph, resolve: Resolve) -> Iterator[onnx.NodeProto]:
    """The nodes of `graph` in order, those of branches that are taken and of loops among them.

    Whoever iterates puts constants that a node computes into `graph.constants` before the next one,
    so that conditions are known where they can be. An Identity only gives its input another name,
    and is left out. Bodies of loops and branches that stay are told to `resolve`.

    Raises:
        NiwakiError: a branch or body has a node that is not supported, or a node reads what there
            is not.
    """
    outputs, names = set(graph.outputs), Names(graph)
    renamed: dict[str, str] = {}
    pending: deque[onnx.NodeProto | Loop] = deque(graph.nodes)
    while pending:
        node = pending.popleft()
        if isinstance(node, Loop):
            pending.extendleft(reversed(node.next_turn(names, renamed, resolve)))
            continue
        node.input[:] = [renamed.get(name, name) for name in node.input]
        _check_defined(graph, node.input, describe(node))
        if node.op_type == "If":
            branch = taken_branch(graph, node)
            if branch is None:
                pending.appendleft(kept_branch(graph, node, renamed, resolve))
                continue
            pending.extendleft(reversed(inlined(graph, branch, list(node.output), names)))
        elif node.op_type == "Scan":
            pending.extendleft(reversed(as_loop(graph, node)))
        elif node.op_type == "Loop":
            pending.appendleft(Loop(graph, node, names))
        elif node.op_type == "Identity" and node.output[0] not in outputs:
            renamed[node.output[0]] = node.input[0]
        else:
            yield node
    _check_defined(graph, graph.outputs, "the model")


def _check_defined(graph: OnnxGraph, names: Iterable[str], reader: str) -> None:
    for name in names:
        if name and name not in graph.constants and name not in graph.types:
            raise NiwakiError(
                f"{graph.path}: {reader} reads {name!r}, which nothing computes before: the file "
                "is damaged"
            )
