#!/usr/bin/env bash
# torch-mlir's Python bindings: `linalg.transpose(x, outs=[e], permutation=p).result`, and a
# `linalg.generic` of the same module.
# One would guess: `result` is the op's only value, as it is of other ops with one result.
# True: it is a list of one. As an operand it is taken all the same, so nothing tells until it is
# compared: it is not equal to the value that users of the op read.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch-mlir==20261001 numpy
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from torch_mlir import ir
from torch_mlir.dialects import func, linalg, tensor

print("torch-mlir", version("torch-mlir"))
with ir.Context(), ir.Location.unknown():
    module = ir.Module.create()
    f32 = ir.F32Type.get()
    kind = ir.RankedTensorType.get([2, 3], f32)
    with ir.InsertionPoint(module.body):
        function = func.FuncOp("turned", ([kind], []))
        with ir.InsertionPoint(function.add_entry_block()):
            empty = tensor.EmptyOp([3, 2], f32)
            op = linalg.transpose(function.arguments[0], outs=[empty], permutation=[1, 0])
            again = linalg.transpose(op.result, outs=[empty], permutation=[0, 1])
            func.return_([])
    read = again.operands[0]
    print("result of tensor.empty:    ", type(empty.result).__name__)
    print("result of linalg.transpose:", type(op.result).__name__)
    print("equal to what the next op reads:", op.result == read, "- its first:", op.result[0] == read)
    assert module.operation.verify()
    assert op.result != read
    assert op.result[0] == read
PY
