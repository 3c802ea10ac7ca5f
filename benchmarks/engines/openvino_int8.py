"""OpenVINO's CPU plug-in on a network in 8 bits, quantised by ONNX Runtime's tool."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engines import onnx_file
from engines.base import Array
from engines.openvino import OpenVino

if TYPE_CHECKING:
    import torch

SAMPLES = 8  # that scales of activations are taken from


class OpenVinoInt8(OpenVino):
    """Weights with a scale for each filter, activations with one for each tensor."""

    name = "OpenVINO int8"
    file = "int8.onnx"
    tolerance = 0.2  # of scales that a few random inputs gave

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

        plain = path.with_name("float.onnx")
        onnx_file.export(model, image, plain)
        quantize_static(
            plain,
            path,
            _Samples(tuple(image.shape)),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            weight_type=QuantType.QInt8,
            activation_type=QuantType.QUInt8,
            op_types_to_quantize=["MatMul", "Gemm", "Conv"],
        )
        plain.unlink()


class _Samples:
    """Inputs as ONNX Runtime's tool asks for them."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._left = self._arrays(shape)

    def _arrays(self, shape: tuple[int, ...]) -> Iterator[dict[str, Array]]:
        generator = np.random.default_rng(0)
        for _ in range(SAMPLES):
            yield {onnx_file.INPUT: generator.standard_normal(shape).astype(np.float32)}

    def get_next(self) -> dict[str, Array] | None:
        """The next input, None behind the last."""
        return next(self._left, None)
