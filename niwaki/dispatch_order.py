"""In which order IREE runs a network's kernels, and which layer each run belongs to.

Layers of one shape share a kernel, so its name does not tell the layer, and IREE moves kernels that
do not depend on one another. What it has decided stands in its IR, where every op still has the
location we gave it:

    stream.cmd.dispatch @gather_gemm_2::@gather_gemm_2(...) {
      ...
    } loc("layer1.0.conv2")
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import torch_mlir.ir as ir

from niwaki.passes.base import layer_name

# The last pass before IREE leaves its `stream` dialect that runs once on the whole module.
_PASS = "iree-stream-pack-dispatch-operands"
_FUNCTION = re.compile(r"^  util\.func .*?^  \}", re.DOTALL | re.MULTILINE)
_DISPATCH = re.compile(
    r'^ *stream\.cmd\.dispatch @[^\n]*?::@("[^"]*"|[\w$.]+).*?^ *\} (loc\([^\n]*\))$',
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Dispatch:
    """One run of a kernel: the layer it belongs to and the kernel's name in IREE's module."""

    layer: str
    kernel: str


def order_flags(folder: Path) -> list[str]:
    """Flags of ``iree-compile`` that leave in `folder` what `read_order` reads."""
    return [
        f"--mlir-print-ir-after={_PASS}",
        f"--mlir-print-ir-tree-dir={folder}",
        "--mlir-print-debuginfo",
        "--mlir-print-local-scope",
    ]


def read_order(folder: Path) -> list[Dispatch]:
    """The dispatches of one call, in the order that a CPU with one thread runs them.

    Must be called in an MLIR context.
    """
    # Small modules that IREE compiles on the way, to compute constants, are in folders below.
    (dump,) = folder.glob("*/*.mlir")
    return parse_order(dump.read_text(encoding="utf-8"))


def parse_order(text: str) -> list[Dispatch]:
    """The dispatches in the functions of a module, printed with locations.

    Initializers are left out: they run when the module is loaded.
    """
    found = [pair for body in _FUNCTION.findall(text) for pair in _DISPATCH.findall(body)]
    # The bindings parse no locations, but ops that have them.
    carriers = "".join(f"module {{}} {location}\n" for _, location in found)
    parsed = ir.Module.parse(f"module {{\n{carriers}}}")
    layers = [layer_name(op.location) for op in parsed.body.operations]
    return [
        Dispatch(layer, kernel.strip('"')) for layer, (kernel, _) in zip(layers, found, strict=True)
    ]
