#!/usr/bin/env bash
# A `memref.alloca` with an alignment, printed by torch-mlir's Python bindings and read by
# `iree-compile`: both are MLIR, months apart.
# One would guess: text goes from one to the other, as that of other ops does.
# True: torch-mlir prints {alignment = 64 : i64} and reads it again; IREE 3.13 reads properties of
# this op nowhere in that dictionary and refuses.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch-mlir==20261001 iree-base-compiler==3.13.0 numpy
"$folder/venv/bin/python" - "$folder" <<'PY'
import pathlib
import subprocess
import sys
from importlib.metadata import version

from torch_mlir import ir
from torch_mlir.dialects import func, memref

print(*(f"{name} {version(name)}" for name in ("torch-mlir", "iree-base-compiler")))
with ir.Context(), ir.Location.unknown():
    module = ir.Module.create()
    with ir.InsertionPoint(module.body):

        @func.FuncOp.from_py_func()
        def aligned():
            line = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), 64)
            memref.alloca(ir.MemRefType.get([16], ir.F32Type.get()), [], [], alignment=line)

    assert module.operation.verify()
    text = str(module)
    ir.Module.parse(text)
print(text)
folder = pathlib.Path(sys.argv[1])
(folder / "aligned.mlir").write_text(text)
command = [folder / "venv/bin/iree-compile", "--compile-to=input", folder / "aligned.mlir"]
told = subprocess.run(command, capture_output=True, text=True, check=False)
refusal = told.stderr.splitlines()[0].partition("error: ")[2]
print("iree-compile:", refusal or "reads it")
assert told.returncode != 0
assert "'alignment' cannot be parsed from attr-dict" in refusal
PY
