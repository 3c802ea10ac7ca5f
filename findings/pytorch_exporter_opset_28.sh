#!/usr/bin/env bash
# `torch.onnx.export(..., opset_version=28)`; onnx 1.23.2 knows opset 28.
# One would guess: the file is of opset 28, or the call is refused.
# True: the file says opset 18, and what it holds is of neither: an op that came with opset 23
# (RMSNormalization) stands in it, so that its own checker refuses it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 onnx==1.23.2 onnxscript==0.7.2
"$folder/venv/bin/python" - "$folder" <<'PY' 2>/dev/null
import contextlib
import io
import sys
from importlib.metadata import version

import onnx
import torch

print(*(f"{name} {version(name)}" for name in ("torch", "onnx", "onnxscript")))
network, x = torch.nn.RMSNorm(8, eps=1e-5).eval(), torch.randn(2, 8)
for asked in (20, 23, 28):
    file = f"{sys.argv[1]}/{asked}.onnx"
    with contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(network, (x,), file, dynamo=True, opset_version=asked)
    model = onnx.load(file)
    says = next(entry.version for entry in model.opset_import if entry.domain == "")
    ops = sorted({node.op_type for node in model.graph.node})
    try:
        onnx.checker.check_model(model)
        checked = "valid"
    except onnx.checker.ValidationError as error:
        checked = "refused by onnx.checker: " + str(error).strip().splitlines()[0]
    print(f"asked for {asked}: the file says {says}, holds {', '.join(ops)}; {checked}")
assert says == 18
PY
