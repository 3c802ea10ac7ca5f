"""The name a user knows an ONNX node by: the layer it was exported from, where that can be told.

Conv(x, "layer1.0.conv1.weight")                        -->   layer1.0.conv1
name_scopes ['', 'layer1', 'layer1.0', 'add']           -->   layer1.0.add     torch.export's
node "/layer1/layer1.0/conv1/Conv"                      -->   layer1.0.conv1   TorchScript's
node "head"                                             -->   head
a node without a name that computes "logits"            -->   logits

In this order: where batch-norm was folded on export, the weight still has its layer's name.
"""

from __future__ import annotations

import re
from collections import Counter

import onnx

from niwaki.frontend.layer_names import module_op_name
from niwaki.frontend.onnx_graph import DOMAIN, OnnxGraph
from niwaki.frontend.onnx_half_precision import WIDENED
from niwaki.frontend.onnx_steps import PART

_WEIGHT = ".weight"
_SCOPES = "pkg.torch.onnx.name_scopes"
_CLASSES = "pkg.torch.onnx.class_hierarchy"
# What Steps puts behind the name of what a node computes.
_STEP = re.compile(r"(::\d+)+$")
_QUOTED = re.compile(r"'([^']*)'")


def name_layers(graph: OnnxGraph) -> None:
    """Set `graph.names`."""
    paths = Counter(scope for node in graph.nodes for scope in _scopes(node.name))
    for node in graph.nodes:
        own = _STEP.sub("", node.output[0].removesuffix(WIDENED))
        name = _by_weight(node, graph) or _by_metadata(node) or _by_node(node, paths) or own
        part = next((note.value for note in node.metadata_props if note.key == PART), "")
        graph.names[node.output[0]] = f"{name}{part}"


def _by_weight(node: onnx.NodeProto, graph: OnnxGraph) -> str:
    for name in node.input:
        stored = name.removesuffix(WIDENED)
        if name in graph.constants and stored.endswith(_WEIGHT):
            return stored.removesuffix(_WEIGHT)
    return ""


def _by_metadata(node: onnx.NodeProto) -> str:
    """From what torch.export's exporter notes of the module that a node comes from."""
    notes = {note.key: _QUOTED.findall(note.value) for note in node.metadata_props}
    scopes, classes = notes.get(_SCOPES, []), notes.get(_CLASSES, [])
    if len(scopes) < 2 or len(classes) < 2:
        return ""
    op = classes[-1].split(".")  # aten.relu.default
    return module_op_name(scopes[-2], classes[-2], op[1] if len(op) == 3 else classes[-1])


def _by_node(node: onnx.NodeProto, paths: Counter[str]) -> str:
    """From TorchScript's path of modules and the op, else the node's own name.

    The op is left out where it is its module's only one, or has weights: that module is a layer.
    """
    scopes = _scopes(node.name)
    if not scopes:
        return node.name
    *modules, op = scopes[-1].split("/")[1:]
    has_weights = node.op_type in ("Conv", "Gemm", "MatMul") or node.domain == DOMAIN
    if not modules or not (paths[scopes[-2]] == 1 or has_weights):
        modules.append(op)
    return ".".join(
        part
        for part, inner in zip(modules, [*modules[1:], ""], strict=True)
        if not inner.startswith(f"{part}.")  # a container, whose name its child repeats
    )


def _scopes(name: str) -> list[str]:
    """``/a/b/Conv`` and the modules around it: ``/a``, ``/a/b``; empty for another kind of name."""
    if not name.startswith("/"):
        return []
    parts = name.split("/")
    return ["/".join(parts[: end + 1]) for end in range(1, len(parts))]
