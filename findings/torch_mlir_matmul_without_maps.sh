#!/usr/bin/env bash
# torch-mlir's Python bindings build a `linalg.matmul`, whose attribute `indexing_maps` tells which
# operand is transposed and may be left out in text.
# One would guess: a product that is built without maps has those of a plain product, as one that is
# parsed has.
# True: it has no such attribute; a pass that asks for it fails. Printed and parsed again, it has.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch-mlir==20261001 numpy
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from torch_mlir import ir
from torch_mlir.dialects import func, linalg


def maps_of(module: ir.Module) -> str:
    (function,) = module.body.operations
    product = next(op for op in function.entry_block.operations if op.name == "linalg.matmul")
    return str(product.attributes["indexing_maps"]) if "indexing_maps" in product.attributes else ""


print("torch-mlir", version("torch-mlir"))
with ir.Context(), ir.Location.unknown():
    module = ir.Module.create()
    kind = ir.RankedTensorType.get([2, 2], ir.F32Type.get())
    with ir.InsertionPoint(module.body):

        @func.FuncOp.from_py_func(kind, kind, kind)
        def product(a, b, c):
            return linalg.matmul(a, b, outs=[c])

    assert module.operation.verify()
    built, parsed = maps_of(module), maps_of(ir.Module.parse(str(module)))
    print("built: ", built or "no maps")
    print("parsed:", parsed)
assert built == ""
assert parsed.count("affine_map") == 3
PY
