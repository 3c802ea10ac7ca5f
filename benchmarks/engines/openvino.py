"""OpenVINO's CPU plug-in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engines import onnx_file
from engines.base import Array, Engine, Network

if TYPE_CHECKING:
    import torch


class OpenVino(Engine):
    """Set up for the latency of single calls, in f32 as everybody else."""

    name = "OpenVINO"
    distribution = "openvino"
    file = onnx_file.FILE

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        onnx_file.export(model, image, path)

    def load(self, path: Path) -> Network:
        import openvino

        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,  # the process is pinned already
        }
        compiled = openvino.Core().compile_model(path, "CPU", options)
        request = compiled.create_infer_request()

        def call(image: Array) -> Array:
            results = request.infer({0: image}, share_inputs=True, share_outputs=True)
            result: Array = results[0]
            return result

        return call
