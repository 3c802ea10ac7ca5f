#!/usr/bin/env bash
# onnx's reference evaluator: LSTM with the input `sequence_lens`.
# One would guess: steps beyond a sequence's length give zeros, and Y_h is the state at its end, as
# the operator's text says.
# True: it does not read the lengths. All steps are computed, and Y_h is the state after the last
# one. ONNX Runtime does what the text says.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet onnx==1.23.2 onnxruntime==1.31.1
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

print("onnx", version("onnx"), "onnxruntime", version("onnxruntime"))
STEPS, UNITS = 3, 2
rng = np.random.default_rng(0)
weights = {
    "w": rng.standard_normal((1, 4 * UNITS, 2)).astype(np.float32),
    "r": rng.standard_normal((1, 4 * UNITS, UNITS)).astype(np.float32),
    "lengths": np.array([1], np.int32),
}
node = helper.make_node("LSTM", ["x", "w", "r", "", "lengths"], ["y", "h"], hidden_size=UNITS)
x, y, h = (
    helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    for name, shape in (("x", [STEPS, 1, 2]), ("y", [STEPS, 1, 1, UNITS]), ("h", [1, 1, UNITS]))
)
constants = [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()]
model = helper.make_model(
    helper.make_graph([node], "g", [x], [y, h], constants),
    opset_imports=[helper.make_opsetid("", 18)],
    ir_version=8,
)
onnx.checker.check_model(model, full_check=True)
values = {"x": rng.standard_normal((STEPS, 1, 2)).astype(np.float32)}
reference = ReferenceEvaluator(model).run(None, values)
computed = onnxruntime.InferenceSession(model.SerializeToString()).run(None, values)
print("one sequence of length 1, three steps, y step by step")
for name, (steps, state) in (("onnx:", reference), ("ONNX Runtime:", computed)):
    print(f"{name:14}", steps.reshape(STEPS, UNITS).round(3).tolist(), "h", state.round(3).tolist())
assert (computed[0][1:] == 0).all()
assert np.allclose(computed[1].ravel(), computed[0][0].ravel())
assert (reference[0][1:] != 0).all()
assert np.allclose(reference[1].ravel(), reference[0][-1].ravel())
PY
