"""In which order IREE runs a network's kernels, and which layer each run belongs to.

Layers of one shape share a kernel, so its name does not tell the layer, and IREE moves kernels that
do not depend on one another. What it has decided stands in its IR, where every op still has the
location we gave it:

    stream.cmd.dispatch @gather_gemm_2::@embedded_elf_x86_64::@gather_gemm_2(...) {
      ...
    } loc("layer1.0.conv2")
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.passes.base import layer_name

_FUNCTION = re.compile(r"^  util\.func [^\n]*?@([\w.]+).*?^  \}", re.DOTALL | re.MULTILINE)
_DISPATCH = re.compile(
    r'^ *stream\.cmd\.dispatch @[^\n]*?::@[^\n]*?::@("[^"]*"|[\w$.]+).*?^ *\} (loc\([^\n]*\))$',
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Dispatch:
    """One run of a kernel: the layer it belongs to and the kernel's name in IREE's module."""

    layer: str
    kernel: str


def read_order(text: str) -> dict[str, list[Dispatch]]:
    """By entry point the dispatches of one call, in the order that a CPU with one thread runs them.

    `text` is IREE's module once it has scheduled it, with locations. Initializers are left out:
    they run when the module is loaded.

    Must be called in an MLIR context.
    """
    orders: dict[str, list[Dispatch]] = {}
    for function in _FUNCTION.finditer(text):
        # IREE makes @main and @main$async of @main.
        orders.setdefault(function[1], []).extend(_dispatches(function[0]))
    return orders


def _dispatches(body: str) -> list[Dispatch]:
    found = _DISPATCH.findall(body)
    # The bindings parse no locations, but ops that have them.
    carriers = "".join(f"module {{}} {location}\n" for _, location in found)
    parsed = ir.Module.parse(f"module {{\n{carriers}}}")
    layers = [layer_name(op.location) for op in parsed.body.operations]
    return [
        Dispatch(layer, kernel.strip('"')) for layer, (kernel, _) in zip(layers, found, strict=True)
    ]
