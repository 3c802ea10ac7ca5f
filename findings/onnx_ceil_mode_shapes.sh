#!/usr/bin/env bash
# ONNX pooling with `ceil_mode=1` and padding at the end, before opset 22.
# One would guess: onnx's shape inference and ONNX Runtime agree on the size of the result.
# True: shape inference counts a last window that lies wholly in the padding; ONNX Runtime drops it,
# as PyTorch does. From opset 22 on shape inference drops it as well.
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

onnxruntime.set_default_logger_severity(3)
print("onnx", version("onnx"), "onnxruntime", version("onnxruntime"))


def sizes(opset):
    """Elements along the pooled dimension: as inferred, as computed."""
    node = helper.make_node(
        "MaxPool", ["x"], ["y"], kernel_shape=[2], strides=[2], pads=[1, 1], ceil_mode=1
    )
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 5])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(
        helper.make_graph([node], "g", [x], [y]), opset_imports=opsets, ir_version=8
    )
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph.output[0]
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (computed,) = session.run(None, {"x": np.zeros((1, 1, 5), "f4")})
    return inferred.type.tensor_type.shape.dim[-1].dim_value, computed.shape[-1]


found = {opset: sizes(opset) for opset in (17, 22)}
for opset, (inferred, computed) in found.items():
    print(f"opset {opset}: shape inference says {inferred}, ONNX Runtime computes {computed}")
assert found == {17: (4, 3), 22: (3, 3)}
PY
