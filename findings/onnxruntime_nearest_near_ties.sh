#!/usr/bin/env bash
# ONNX Resize to the nearest element, where the position of a result is all but a half: 2 / (4 / 7) in
# float32 is 3.4999998.
# One would guess: a tie is a position of exactly a half, so that this one rounds down to 3.
# True: for ONNX Runtime whatever is within about 1e-6 of a half is a tie, and with
# `round_prefer_ceil` it takes element 4; onnx's reference takes 3.
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
from onnx.reference import ReferenceEvaluator

print("onnx", version("onnx"), "onnxruntime", version("onnxruntime"))
print("position", np.float32(2) / np.float32(4 / 7))
node = helper.make_node(
    "Resize",
    ["x", "", "s"],
    ["y"],
    mode="nearest",
    nearest_mode="round_prefer_ceil",
    coordinate_transformation_mode="asymmetric",
)
x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 7])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 4])
scales = helper.make_tensor("s", TensorProto.FLOAT, [3], [1, 1, 4 / 7])
model = helper.make_model(
    helper.make_graph([node], "g", [x], [y], [scales]),
    opset_imports=[helper.make_opsetid("", 18)],
    ir_version=8,
)
values = np.arange(7, dtype="f4").reshape(1, 1, 7)
session = onnxruntime.InferenceSession(model.SerializeToString())
(computed,) = session.run(None, {"x": values})
(reference,) = ReferenceEvaluator(model).run(None, {"x": values})
print("elements taken: ONNX Runtime", computed.ravel(), "onnx", reference.ravel())
assert computed.ravel().tolist() == [0, 2, 4, 5]
assert reference.ravel().tolist() == [0, 2, 3, 5]
PY
