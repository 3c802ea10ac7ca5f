#!/usr/bin/env bash
# onnx's reference evaluator: ReduceSumSquare of int32.
# One would guess: int32, which is what the schema says, and what ReduceSum and ReduceL1 give there.
# True: int64 (and uint64 of uint32), because it takes NumPy's sum, which widens. ONNX Runtime gives
# int32.
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
found = {}
for kind in ("ReduceSumSquare", "ReduceSum", "ReduceL1"):
    x = helper.make_tensor_value_info("x", TensorProto.INT32, [2])
    y = helper.make_tensor_value_info("y", TensorProto.INT32, [])
    node = helper.make_node(kind, ["x"], ["y"], keepdims=0)
    model = helper.make_model(
        helper.make_graph([node], "g", [x], [y]),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=8,
    )
    onnx.checker.check_model(model, full_check=True)
    values = {"x": np.array([4, 3], np.int32)}
    (reference,) = ReferenceEvaluator(model).run(None, values)
    (computed,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, values)
    found[kind] = (reference.dtype.name, computed.dtype.name)
    print(kind, "onnx:", reference, reference.dtype, "ONNX Runtime:", computed, computed.dtype)
assert found["ReduceSumSquare"] == ("int64", "int32")
assert found["ReduceSum"] == found["ReduceL1"] == ("int32", "int32")
PY
