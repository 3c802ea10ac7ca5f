"""MNN, with and without its use of sparse weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from engines import onnx_file
from engines.base import Array, Engine, Network

if TYPE_CHECKING:
    import torch

# What the command `mnnconvert` runs first. Then it would install a package of its own choice into
# this environment, and report to its makers that it was used.
_CONVERT = "import sys, _tools; _tools.mnnconvert(sys.argv)"


class Mnn(Engine):
    """Dense kernels, among them Winograd's.

    Its modules, its session modes, higher power and memory, and a higher level of the converter's
    optimisation gave the same times.
    """

    name = "MNN"
    distribution = "MNN"
    file = "dense.mnn"
    # 5e-3 after ResNet-50's layers: Winograd's large tiles, which MNN prefers, round more. Smaller
    # ones (its hint WINOGRAD_MEMORY_LEVEL) are as exact as anybody's, and a third slower.
    tolerance = 1e-2
    options: ClassVar[tuple[str, ...]] = ()
    # "high" asks for f32 on every CPU. "normal", the default, gave the same times.
    precision: ClassVar[str] = "high"

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        program = path.with_name(onnx_file.FILE)
        if not program.exists():
            onnx_file.export(model, image, program)
        files = ("--modelFile", str(program), "--MNNModel", str(path))
        arguments = ("-f", "ONNX", "--bizCode", "MNN", *files, *self.options)
        subprocess.run(
            [sys.executable, "-c", _CONVERT, *arguments], check=True, capture_output=True
        )
        if not path.exists():
            raise RuntimeError("mnnconvert wrote nothing")

    def load(self, path: Path) -> Network:
        import MNN

        interpreter = MNN.Interpreter(str(path))
        settings = {"backend": "CPU", "numThread": 1, "precision": self.precision}
        session = interpreter.createSession(settings)
        source = interpreter.getSessionInput(session)
        result = interpreter.getSessionOutput(session)
        shape = result.getShape()
        host = _tensor(np.empty(shape, np.float32))

        def call(image: Array) -> Array:
            source.copyFrom(_tensor(image))
            interpreter.runSession(session)
            result.copyToHostTensor(host)
            return np.array(host.getNumpyData())

        return call


def _tensor(array: Array) -> Any:
    """A view of `array`, in the order of axes that PyTorch has."""
    import MNN

    return MNN.Tensor(array.shape, MNN.Halide_Type_Float, array, MNN.Tensor_DimensionType_Caffe)


class MnnSparse(Mnn):
    """The converter weighs for each layer whether sparse kernels are faster."""

    name = "MNN sparse"
    file = "sparse.mnn"
    options = ("--detectSparseSpeedUp",)
