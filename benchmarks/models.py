"""The networks of examples/networks that benchmarks compile, by name.

Each function returns the module in eval mode and its example inputs, the same ones every time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "examples" / "networks"))

from c3d import c3d
from calibration import Example, calibrate, inputs
from cifar_resnet import resnet20
from efficientnet import efficientnet_b0
from mobilenet_v2 import mobilenet_v2
from resnet import resnet18, resnet50
from vgg import vgg16, vgg16_classic
from yolo import yolov8n

__all__ = ["MODELS", "calibrate", "inputs"]

MODELS: dict[str, Callable[..., Example]] = {
    function.__name__: function
    for function in (
        resnet18,
        resnet20,
        resnet50,
        vgg16,
        vgg16_classic,
        mobilenet_v2,
        efficientnet_b0,
        yolov8n,
        c3d,
    )
}
