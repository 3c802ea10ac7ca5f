#!/usr/bin/env bash
# torch-mlir lowers a sum over bytes without a sign (torch.uint8) to linalg on tensors.
# One would guess: bytes become integers of 64 bits by extension with zeros, as 200 is 200.
# True: the sum extends them by their sign, as if they were int8, so that 200 counts as -56. The
# conversion x.long() extends them with zeros.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 torch-mlir==20261001 numpy
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import torch
from torch_mlir import fx
from torch_mlir.fx import OutputType


class Sum(torch.nn.Module):
    def forward(self, x):
        return x.sum()


class ConvertedSum(torch.nn.Module):
    def forward(self, x):
        return x.long().sum()


print("torch-mlir", version("torch-mlir"))
found = {}
for model in (Sum(), ConvertedSum()):
    x = torch.full((3,), 200, dtype=torch.uint8)
    module = fx.export_and_import(model, x, output_type=OutputType.LINALG_ON_TENSORS)
    name = type(model).__name__
    found[name] = [line.strip() for line in str(module).splitlines() if "arith.ext" in line]
    print(f"{name}: PyTorch gives {model(x).item()}, torch-mlir makes", *found[name])
assert "arith.extsi" in found["Sum"][0]
assert "arith.extui" in found["ConvertedSum"][0]
PY
