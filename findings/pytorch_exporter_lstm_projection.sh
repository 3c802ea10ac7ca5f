#!/usr/bin/env bash
# `torch.onnx.export(..., dynamo=True)` of an `nn.LSTM` with `proj_size`, which ONNX's LSTM has not.
# One would guess: the call is refused, as that with dynamo=False is, or the projection is a product
# behind the layer.
# True: the file has an LSTM whose hidden size is that of the projection, without the projection, and
# an initial cell state of the real hidden size. ONNX Runtime refuses to run it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.31.0
"$folder/venv/bin/python" - "$folder" <<'PY' 2>/dev/null
import contextlib
import io
import sys
from importlib.metadata import version

import onnx
import onnxruntime
import torch

print(*(f"{name} {version(name)}" for name in ("torch", "onnx", "onnxscript", "onnxruntime")))
network, x = torch.nn.LSTM(5, 8, proj_size=2).eval(), torch.randn(3, 1, 5)
file = f"{sys.argv[1]}/lstm.onnx"
with contextlib.redirect_stdout(io.StringIO()):
    torch.onnx.export(network, (x,), file, dynamo=True)
graph = onnx.load(file).graph
(node,) = (node for node in graph.node if node.op_type == "LSTM")
hidden = next(one.i for one in node.attribute if one.name == "hidden_size")
cell = next(list(one.dims) for one in graph.initializer if one.name == node.input[6])
products = [node.op_type for node in graph.node if node.op_type in ("Gemm", "MatMul")]
print(f"hidden_size {hidden}, initial_c {cell}, products behind it: {products}")
try:
    session = onnxruntime.InferenceSession(file)
    session.run(None, {session.get_inputs()[0].name: x.numpy()})
    refused = ""
except Exception as error:
    refused = str(error)
print("ONNX Runtime:", refused or "runs it")
assert (hidden, cell, products) == (2, [1, 1, 8], [])
assert "initial_c must have shape" in refused
PY
