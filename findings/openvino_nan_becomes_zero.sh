#!/usr/bin/env bash
# OpenVINO's CPU plugin, asked for f32, on values that are no numbers.
# One would guess: NaN > 0 is false and relu(NaN) is NaN, as in ONNX Runtime and PyTorch.
# True: NaN > 0 is true, and relu(NaN) is 0: a network that has gone wrong looks healthy.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet openvino==2026.4.1
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
import openvino
from openvino import opset13 as ops

print("openvino", version("openvino"))
x = ops.parameter([4], np.float32)
zero = ops.constant(np.zeros(4, np.float32))
results = [ops.relu(x), ops.convert(ops.greater(x, zero), "f32")]
core = openvino.Core()
network = core.compile_model(
    openvino.Model(results, [x]), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
)
values = np.array([np.nan, -1, 2, np.nan], np.float32)
relu, greater = network([values]).values()
print("x           ", values)
print("relu(x)      expected", np.maximum(values, 0), "came", relu)
print("x > 0        expected", (values > 0).astype("f4"), "came", greater)
assert relu[0] == 0
assert greater[0] == 1
PY
