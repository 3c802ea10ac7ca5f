#!/usr/bin/env bash
# ONNX Runtime runs a Loop that collects the number of each turn.
# One would guess: 0, 1, 2, as the body gets them.
# True: where the body's result is its input itself, all places hold how many turns there were: it is
# one number in memory that is counted up. An Identity between makes it right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy onnx==1.23.2 onnxruntime==1.31.1
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
import onnxruntime
from onnx import TensorProto, helper


def number(name, kind=TensorProto.INT64, shape=()):
    return helper.make_tensor_value_info(name, kind, shape)


def collected(result, *nodes):
    flag = number("before", TensorProto.BOOL), number("goes_on", TensorProto.BOOL)
    copy = helper.make_node("Identity", ["before"], ["goes_on"])
    body = helper.make_graph([copy, *nodes], "body", [number("turn"), flag[0]], [flag[1], number(result)])
    loop = helper.make_node("Loop", ["n", ""], ["turns"], body=body)
    graph = helper.make_graph([loop], "network", [number("n")], [number("turns", shape=[None])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"n": np.array(3)})[0].tolist()


print("onnxruntime", version("onnxruntime"))
itself = collected("turn")
copied = collected("copy", helper.make_node("Identity", ["turn"], ["copy"]))
print("itself:    expected [0, 1, 2] came", itself)
print("Identity:  expected [0, 1, 2] came", copied)
assert itself == [3, 3, 3]
assert copied == [0, 1, 2]
PY
