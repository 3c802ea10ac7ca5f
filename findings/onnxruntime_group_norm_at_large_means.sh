#!/usr/bin/env bash
# GroupNormalization in ONNX Runtime, of values around 1,000 with a spread of 1.
# One would guess: as exact as float32 allows, some five digits, as LayerNormalization is there.
# True: off by a tenth where results are about 3 at most: one digit is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet onnx==1.23.2 onnxruntime==1.31.1
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

print("onnx", version("onnx"), "onnxruntime", version("onnxruntime"))


def largest_error(op, **attributes):
    """Against the same formula in float64, results being about 3 at most."""
    x = (np.random.default_rng(0).standard_normal((1, 4, 64)) + 1000).astype("f4")
    size = {"GroupNormalization": 4, "LayerNormalization": 64}[op]
    scale, shift = np.ones(size, "f4"), np.zeros(size, "f4")
    weights = [numpy_helper.from_array(scale, "s"), numpy_helper.from_array(shift, "b")]
    graph = helper.make_graph(
        [helper.make_node(op, ["x", "s", "b"], ["y"], epsilon=1e-5, **attributes)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, x.shape)],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    (y,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})
    rows = x.astype("f8").reshape((4, 64) if op == "LayerNormalization" else (2, 128))
    wanted = (rows - rows.mean(1, keepdims=True)) / np.sqrt(rows.var(1, keepdims=True) + 1e-5)
    return abs(y - wanted.reshape(x.shape)).max()


group = largest_error("GroupNormalization", num_groups=2)
layer = largest_error("LayerNormalization")
print(f"largest error: GroupNormalization {group:.2g}, LayerNormalization {layer:.2g}")
assert group > 0.01
assert layer < 1e-3
PY
