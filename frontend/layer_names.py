"""The name a user knows a graph node by: its module's path, and a plain function's name.

self.conv(x)  in  layer1.0          -->   layer1.0.conv
torch.relu(x) in  layer1.0          -->   layer1.0.relu
x + y         in  the model itself  -->   add
"""

from __future__ import annotations

import re
from typing import Any

from torch.fx import Node

# torch.export marks the second and later calls of one module by a suffix: "conv@1".
_CALL_NUMBER = re.compile(r"@\d+$")


def op_name(node: Node) -> str:
    """``"linear"`` for a node that calls, or was decomposed from, ``aten.linear.default``."""
    sources = node.meta.get("from_node") or []
    target = sources[-1].target if sources else node.target
    parts = str(target).split(".")
    # "aten.linear.default" -> "linear"; a plain function such as getitem has no overload part.
    return parts[1] if len(parts) == 3 else getattr(target, "__name__", parts[-1])


def layer_name(node: Node) -> str:
    """Name of the layer that `node` belongs to, as the docstring above shows."""
    stack: list[tuple[str, Any]] = list((node.meta.get("nn_module_stack") or {}).values())
    if not stack:
        return op_name(node)
    path, kind = stack[-1]
    path = _CALL_NUMBER.sub("", path)
    class_path = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
    return module_op_name(path, class_path, op_name(node))


def module_op_name(path: str, class_path: str, op: str) -> str:
    """Name of an op in the module at `path`: the module's own where it is a layer of PyTorch's."""
    is_layer = class_path.startswith("torch.nn.modules.") and not _is_container(class_path)
    if is_layer and path:
        return path
    return f"{path}.{op}" if path else op


def _is_container(class_path: str) -> bool:
    return class_path.startswith("torch.nn.modules.container.")
