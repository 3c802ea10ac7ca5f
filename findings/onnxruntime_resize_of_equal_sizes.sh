#!/usr/bin/env bash
# ONNX Resize by a scale that rounds to as many elements as there were: 3 elements by 1.3 are 3.
# One would guess: they are sampled at the scale that was asked for, as ONNX's text and its reference
# evaluation have it.
# True: ONNX Runtime copies the input, whatever the scale, as no size changes.
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
node = helper.make_node(
    "Resize", ["x", "", "s"], ["y"], mode="linear", coordinate_transformation_mode="asymmetric"
)
x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 3])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 3])
scales = helper.make_tensor("s", TensorProto.FLOAT, [3], [1, 1, 1.3])
model = helper.make_model(
    helper.make_graph([node], "g", [x], [y], [scales]),
    opset_imports=[helper.make_opsetid("", 18)],
    ir_version=8,
)
values = np.array([[[0, 1, 4]]], "f4")
session = onnxruntime.InferenceSession(model.SerializeToString())
(computed,) = session.run(None, {"x": values})
(reference,) = ReferenceEvaluator(model).run(None, {"x": values})
print("input", values.ravel(), "by 1.3: ONNX Runtime", computed.ravel(), "onnx", reference.ravel())
assert (computed == values).all()
np.testing.assert_allclose(reference.ravel(), [0, 1 / 1.3, 1 + 3 * (2 / 1.3 - 1)], rtol=1e-5)
PY
