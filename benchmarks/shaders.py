"""What shaders load for each multiply-add, read off their code: no GPU is needed, nothing is timed.

shader --spirv-dis--> the loop with the most multiply-adds
  OpLoad of a buffer, of one number or of four            a load
  Fma of numbers or vectors                               as many multiply-adds as it has numbers
"""

from __future__ import annotations

import functools
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import torch
from figure import Figure
from torch import Tensor, nn
from torch.nn import functional

import niwaki
from niwaki import code_generation, lowered_bundle

TARGETS = {"vulkan": "f32", "vulkan-adreno": "f16", "vulkan-mali": "f16"}
PROGRAM = "spirv-dis"
# Buffers of a shader that Vulkan 1.1 promises.
MOST_BUFFERS = 4

_LOOP = re.compile(r"OpLoopMerge (%\w+) ")
_FMA = re.compile(r"= OpExtInst %(\w+) %\w+ Fma ")
_CHAIN = re.compile(r"(%\w+) = OpAccessChain %_ptr_StorageBuffer")
_LOAD = re.compile(r"= OpLoad %\w+ (%\w+)")
_BUFFER = re.compile(r"= OpVariable %\w+ StorageBuffer")


@dataclass(frozen=True)
class Layer:
    """A layer, and the kernel that has it.

    Attributes:
        repeats: whether the loop that counts is in another one, as all of a recurrent layer's are.
        most: loads for each multiply-add that it may have in f16.
    """

    name: str
    module: nn.Module
    shape: tuple[int, ...]
    kernel: str
    most: float | None = None
    repeats: bool = False


def layers() -> list[Layer]:
    """One of each family."""
    return [
        Layer("64x64x3x3", nn.Conv2d(64, 64, 3, padding=1), (1, 64, 56, 56), "thread_gemm", 0.25),
        Layer("depthwise 144x3x3", depthwise(144, 1), (1, 144, 56, 56), "thread_depthwise"),
        Layer("the same of stride 2", depthwise(144, 2), (1, 144, 56, 56), "thread_depthwise"),
        Layer("linear 512x1000, a row", nn.Linear(512, 1000), (1, 512), "thread_matvec"),
        Layer("linear 768x3072, 128 rows", nn.Linear(768, 3072), (128, 768), "thread_matvec"),
        Layer("attention, 6 heads, 196 tokens", SelfAttention(), (1, 6, 196, 64), "attention"),
        Layer("GRU 256, 20 steps", Steps(), (20, 1, 64), "thread_recurrence", repeats=True),
    ]


class Steps(nn.Module):
    """The state after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.GRU(64, 256)

    def forward(self, x: Tensor) -> Tensor:
        states: Tensor = self.layer(x)[0]
        return states


class SelfAttention(nn.Module):
    """Queries, keys and values are the same ``[N, heads, tokens, numbers]``."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.scaled_dot_product_attention(x, x, x)


def depthwise(channels: int, stride: int) -> nn.Module:
    """A convolution with one filter a channel."""
    return nn.Conv2d(channels, channels, 3, stride, 1, groups=channels)


def measure(target: str, folder: Path) -> list[Figure]:
    """Of each layer's shader for `target`."""
    return [figure for layer in layers() for figure in layer_figures(layer, target, folder)]


def layer_figures(layer: Layer, target: str, folder: Path) -> Iterator[Figure]:
    """Loads for each multiply-add, and buffers."""
    code = shader(layer, target, folder / target / layer.name.replace(" ", "-"))
    body = busiest(code, layer.repeats)
    loads, products = buffer_loads(code, body), multiply_adds(body)
    most = layer.most if TARGETS[target] == "f16" else None
    yield Figure(f"{layer.name}: loads", loads, "")
    yield Figure(f"{layer.name}: multiply-adds", products, "")
    yield Figure(f"{layer.name}: loads for each", loads / products, "", most)
    yield Figure(f"{layer.name}: buffers", len(_BUFFER.findall(code)), "", MOST_BUFFERS)


def shader(layer: Layer, target: str, folder: Path) -> str:
    """The code of a layer's kernel as text."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.spv"):
        old.unlink()
    dump = [f"--iree-hal-dump-executable-binaries-to={folder.resolve()}"]
    generate_code = functools.partial(code_generation.generate_code, extra_flags=dump)
    with mock.patch.object(lowered_bundle, "generate_code", generate_code):
        niwaki.compile(
            nn.Sequential(layer.module, nn.ReLU()).eval(),
            torch.zeros(layer.shape),
            target=target,
            precision=TARGETS[target],
            output=folder / "net.niwaki",
        )
    (found,) = folder.glob(f"*{layer.kernel}*.spv")
    command = [PROGRAM, str(found)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def busiest(code: str, innermost: bool) -> str:
    """The loop with the most multiply-adds, loops in it included; all code if no loop has any.

    Of those `innermost`, if they are asked for, the one with the most.
    """
    loops = [
        code[found.end() : code.index(f"{found[1]} = OpLabel")] for found in _LOOP.finditer(code)
    ]
    if innermost:
        loops = [loop for loop in loops if not _LOOP.search(loop)]
    busy = max(loops, key=multiply_adds, default="")
    return busy if multiply_adds(busy) else code


def multiply_adds(body: str) -> int:
    """Those of a piece of code."""
    return sum(int(kind[1]) if re.match(r"v\d", kind) else 1 for kind in _FMA.findall(body))


def buffer_loads(code: str, body: str) -> int:
    """Loads of a piece of the code that read buffers."""
    chains = set(_CHAIN.findall(code))
    return sum(pointer in chains for pointer in _LOAD.findall(body))
