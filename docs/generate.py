"""Write docs/pipeline.md: a small network's IR after each pass (`make docs`).

    python docs/generate.py             write it anew
    python docs/generate.py --check     compare with what is there; exit code 1 where they differ

What a pass does is told by its module's docstring. The target is named, so that every machine
writes the same file; IREE's code generator does not run.
"""

from __future__ import annotations

import argparse
import difflib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from niwaki.dialects import context
from niwaki.frontend import import_torch
from niwaki.passes import REGISTRY, Session, parse_pipeline, run_pipeline
from niwaki.passes.base import TARGET_ATTRIBUTE, function_ops
from niwaki.passes.kernels import gather_gemm
from niwaki.passes.pipelines import compile_pipeline
from niwaki.targets import get_target

OUTPUT = Path(__file__).resolve().parent / "pipeline.md"
TARGET, GPU_TARGET = "x86-64-v4", "vulkan"

WIDTH = 96  # columns of IR
SHOWN_ELEMENTS = 8  # constants of more elements are elided
SHOWN_LOOP = 30  # lines of a kernel's inner loop
# A pass that leaves this share of the lines as they were is shown as a difference.
ALIKE = 0.75

# MLIR's own passes have no docstring here.
MLIR_PASSES = {
    "linalg-fuse-elementwise-ops": "MLIR's own: makes one op of elementwise ops that follow one"
    " another. An activation in several steps, whose first result is read twice, becomes an op that"
    " the next pass can move.",
    "canonicalize": "MLIR's own: folds constants and removes what nobody uses.",
    "cse": "MLIR's own: computes only once what is computed twice.",
}

# Where a line of IR that is too long is broken: always before these, then after commas as needed.
STRUCTURE = re.compile(r" (?=ins\(|outs\(|\{\w+ = |: \(|-> |attributes )")
COMMAS = re.compile(r"(?<=,) (?=%|\w+ = |tensor<|memref<|array<|\d+ : )")


class Example(nn.Module):
    """A residual block, and a convolution of stride 2."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(16, 16, 3, padding=1)
        self.down = nn.Conv2d(16, 16, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.conv(x) + x)
        return nn.functional.hardswish(self.down(x))


def punch(conv: nn.Conv2d, *taps: list[int]) -> None:
    """Keep, in each block of 8 filters, these of the 9 taps of every kernel."""
    kept = torch.zeros(len(taps), 8, 16, 9)
    for block, places in enumerate(taps):
        kept[block, :, :, places] = 1
    conv.weight.data *= kept.reshape(conv.weight.shape)


def example() -> tuple[nn.Module, torch.Tensor]:
    """The network, which keeps 2 of 9 weights, and an input."""
    torch.manual_seed(0)
    model = Example().eval()
    punch(model.conv, [1, 4], [4, 7])
    punch(model.down, [0, 4], [4, 8])
    return model, torch.zeros(1, 16, 12, 12)


@dataclass
class Stage:
    """A pass and the module after it.

    Attributes:
        name: the pass; empty for the imported module.
        text: IR with long constants elided.
        ops: how many ops the module has.
    """

    name: str
    text: str
    ops: int


def stages(session: Session) -> list[Stage]:
    """The example after import and after each pass; `session` gets what the passes tell."""
    model, image = example()
    with context() as ctx:
        from torch_mlir import ir

        module = import_torch(model, image, ctx).module.operation
        module.attributes[TARGET_ATTRIBUTE] = ir.StringAttr.get(TARGET)
        found = [_stage("", module)]
        for element in parse_pipeline(compile_pipeline(get_target(TARGET))):
            run_pipeline(module, [element], session)
            found.append(_stage(element if isinstance(element, str) else element.name, module))
    return found


def _stage(name: str, module: Any) -> Stage:
    text = module.get_asm(large_elements_limit=SHOWN_ELEMENTS, use_name_loc_as_prefix=True)
    ops = sum(1 for line in text.splitlines() if re.match(r' *(%.* = )?"?\w+\.\w+', line))
    return Stage(name, text.replace("dense_resource<__elided__>", "dense<...>"), ops)
