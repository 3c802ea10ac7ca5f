"""ONNX Runtime's CPU provider."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engines import onnx_file
from engines.base import Array, Engine, Network

if TYPE_CHECKING:
    import torch


class OnnxRuntime(Engine):
    """All graph optimisations: batch-norm folded, activations fused, its blocked layout."""

    name = "ONNX Runtime"
    distribution = "onnxruntime"
    file = onnx_file.FILE

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        onnx_file.export(model, image, path)

    def load(self, path: Path) -> Network:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        (given,) = session.get_inputs()

        def call(image: Array) -> Array:
            result: Array = session.run(None, {given.name: image})[0]
            return result

        return call
