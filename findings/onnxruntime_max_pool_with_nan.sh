#!/usr/bin/env bash
# MaxPool in ONNX Runtime over a window that holds a NaN.
# One would guess: NaN, as in PyTorch, or the largest of the numbers, as `fmax` has it.
# True: neither. Some of the other values are forgotten, and which ones depends on where in the window
# the NaN is: of 9, 2, 3, 1 with the third a NaN the maximum is 2.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet onnx==1.23.2 onnxruntime==1.31.1
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

print("onnxruntime", version("onnxruntime"))
node = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[4])
x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 4])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 1])
graph = helper.make_graph([node], "g", [x], [y])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
session = onnxruntime.InferenceSession(model.SerializeToString())
came = []
for place in range(4):
    window = np.array([9, 2, 3, 1], "f4")
    window[place] = np.nan
    came.append(session.run(None, {"x": window.reshape(1, 1, 4)})[0].item())
    print("maximum of", window, "came", came[-1])
print("expected nan each time, or 3, 9, 9, 9")
assert came[:3] == [3, 9, 2]
assert np.isnan(came[3])
PY
