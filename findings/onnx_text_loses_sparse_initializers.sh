#!/usr/bin/env bash
# An ONNX model whose weight is a `sparse_initializer`, which ONNX Runtime runs.
# One would guess: what reads and writes ONNX keeps the weight, or says that it cannot.
# True: onnx's own text form (`onnx.printer.to_text`, `onnx.parser.parse_model`) loses it without a
# word, and so does a round trip through onnx-ir, which logs that the name is not found and goes on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet onnx==1.23.2 onnxruntime==1.31.1 onnx-ir==1.1.0
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
import onnx
import onnx_ir
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

print(*(f"{name} {version(name)}" for name in ("onnx", "onnxruntime", "onnx-ir")))
values = numpy_helper.from_array(np.array([2, 3], "f4"), "w")
weight = helper.make_sparse_tensor(values, numpy_helper.from_array(np.array([1, 7])), [4, 3])
graph = helper.make_graph(
    [helper.make_node("MatMul", ["x", "w"], ["y"])],
    "g",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
    sparse_initializer=[weight],
)
opsets = [helper.make_opsetid("", 17)]
model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
onnx.checker.check_model(model)
session = onnxruntime.InferenceSession(model.SerializeToString())
print("ONNX Runtime computes", session.run(None, {"x": np.ones((1, 4), "f4")})[0])
through_text = onnx.parser.parse_model(onnx.printer.to_text(model))
through_ir = onnx_ir.serde.serialize_model(onnx_ir.serde.deserialize_model(model))
for name, copy in (("text", through_text), ("onnx-ir", through_ir)):
    kept = len(copy.graph.sparse_initializer) + len(copy.graph.initializer)
    print(f"weights of the original: 1, after {name}: {kept}")
    assert kept == 0
PY
