#!/usr/bin/env bash
# torch-mlir lowers fmod of floats to linalg on tensors.
# One would guess: `arith.remf`, the exact remainder that MLIR has and that PyTorch computes.
# True: x - trunc(x / y) * y, whose error grows with the quotient: fmod(1e10, 3.1) is 2.637 in float32,
# and the three steps give 0, or -127.6 where the last two are one fused multiply-add.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 torch-mlir==20261001 numpy
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
import torch
from torch_mlir import fx
from torch_mlir.fx import OutputType


class Remainder(torch.nn.Module):
    def forward(self, x, y):
        return torch.fmod(x, y)


print("torch-mlir", version("torch-mlir"))
x, y = torch.tensor([1e10]), torch.tensor([3.1])
module = fx.export_and_import(Remainder(), x, y, output_type=OutputType.LINALG_ON_TENSORS)
ops = [word for word in str(module).split() if word.startswith(("arith.", "math."))]
a, b = x.numpy(), y.numpy()
by_steps = a - np.trunc(a / b) * b
print("PyTorch:", torch.fmod(x, y).item(), "torch-mlir makes", *ops, "which is", by_steps.item())
assert "arith.remf" not in ops
assert {"arith.divf", "arith.mulf", "arith.subf"} <= set(ops)
assert abs(torch.fmod(x, y).item() - 2.637) < 0.01 and by_steps.item() == 0
PY
