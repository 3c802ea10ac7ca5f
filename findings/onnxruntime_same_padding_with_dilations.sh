#!/usr/bin/env bash
# ONNX MaxPool with `auto_pad=SAME_UPPER`, a stride of 1 and `dilations` of 2.
# One would guess: as many elements as before, which is what "same" says, and shape inference too.
# True: ONNX Runtime pads as if the window were not dilated, so that 8 elements give 6. It has a
# message for the same attributes of Conv, which it refuses.
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

onnxruntime.set_default_logger_severity(4)
print("onnx", version("onnx"), "onnxruntime", version("onnxruntime"))


def model_of(kind, **inputs):
    """A network of one node."""
    node = helper.make_node(
        kind,
        list(inputs),
        ["y"],
        kernel_shape=[3],
        strides=[1],
        dilations=[2],
        auto_pad="SAME_UPPER",
    )
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in inputs.items()
    ]
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    return helper.make_model(
        helper.make_graph([node], "g", values, [y]),
        opset_imports=[helper.make_opsetid("", 22)],
        ir_version=10,
    )


x = np.arange(8, dtype="f4").reshape(1, 1, 8)
pool = model_of("MaxPool", x=[1, 1, 8])
inferred = onnx.shape_inference.infer_shapes(pool, strict_mode=True).graph.output[0]
size = inferred.type.tensor_type.shape.dim[-1].dim_value
(computed,) = onnxruntime.InferenceSession(pool.SerializeToString()).run(None, {"x": x})
print(f"MaxPool: shape inference says {size}, ONNX Runtime gives", computed.ravel())
conv = model_of("Conv", x=[1, 1, 8], w=[1, 1, 3])
session = onnxruntime.InferenceSession(conv.SerializeToString())
try:
    session.run(None, {"x": x, "w": np.ones((1, 1, 3), "f4")})
    told = ""
except Exception as error:
    told = str(error)
print("Conv:", told)
assert (size, computed.size) == (8, 6)
assert "Dilation not supported" in told
PY
