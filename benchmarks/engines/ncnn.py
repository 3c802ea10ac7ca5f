"""ncnn, converted by pnnx."""

from __future__ import annotations

import subprocess
import weakref
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from engines.base import Array, Engine, Network

if TYPE_CHECKING:
    import torch


class Ncnn(Engine):
    """ncnn's defaults in f32: Winograd, matrix multiplication, packed channels, light mode.

    Without any of these ResNet-18 and MobileNetV2 took longer or as long.
    """

    name = "ncnn"
    distribution = "ncnn"
    file = "ncnn.param"  # and ncnn.bin, the weights
    half: ClassVar[bool] = False  # compute in f16

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        import pnnx
        import torch

        path = path.resolve()
        with TemporaryDirectory() as folder:  # pnnx leaves more files than are needed
            torch.jit.trace(model, image).save(f"{folder}/model.pt")
            # The program itself: its Python function also imports code that it has written.
            command = [
                pnnx.EXEC_PATH,
                f"{folder}/model.pt",
                f"inputshape={list(image.shape)}".replace(" ", ""),
                "fp16=0",  # weights as they are, not rounded to 16 bits
                f"ncnnparam={path}",
                f"ncnnbin={path.with_suffix('.bin')}",
            ]
            subprocess.run(command, check=True, cwd=folder, capture_output=True)

    def load(self, path: Path) -> Network:
        import ncnn

        net = ncnn.Net()
        net.opt.num_threads = 1
        # By default weights are kept in 16 bits here too: f32 as everybody else.
        net.opt.use_fp16_packed = self.half
        net.opt.use_fp16_storage = self.half
        net.opt.use_fp16_arithmetic = self.half
        # As in ncnn's own benchmark: memory of one call serves the next.
        blobs, workspace = ncnn.UnlockedPoolAllocator(), ncnn.PoolAllocator()
        net.opt.blob_allocator = blobs
        net.opt.workspace_allocator = workspace
        if net.load_param(str(path)) or net.load_model(str(path.with_suffix(".bin"))):
            raise RuntimeError(f"ncnn cannot load {path}")
        source, result = net.input_names()[0], net.output_names()[0]

        def call(image: Array) -> Array:
            extractor = net.create_extractor()
            extractor.input(source, ncnn.Mat(image[0]))
            _, output = extractor.extract(result)
            return np.array(output)[None]

        weakref.finalize(call, _clear, net, blobs, workspace)
        return call


def _clear(net: Any, *allocators: Any) -> None:
    """Free the net's memory while those that gave it are still there."""
    net.clear()
