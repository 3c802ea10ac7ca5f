#!/usr/bin/env bash
# PyTorch's instance norm in float16 on a CPU, of values near 2,049 that float16 can tell apart.
# One would guess: as exact as group norm with one channel a group, which is the same by definition.
# True: it subtracts the mean rounded to float16. At 2,049, where neighbours are 2 apart, its results
# are off by 1 where the right ones are -1 and 1; group norm and layer norm are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'PY'
import torch
from torch.nn import functional

print("torch", torch.__version__)
x = torch.tensor([2048.0, 2050.0]).repeat(64).reshape(1, 1, 8, 16).half()
exact = functional.instance_norm(x.double())
found = {
    "instance norm": functional.instance_norm(x),
    "group norm": functional.group_norm(x, 1),
    "layer norm": functional.layer_norm(x, x.shape[1:]),
}
errors = {name: (y.double() - exact).abs().max().item() for name, y in found.items()}
for name, y in found.items():
    print(f"{name}: {y[0, 0, 0, :2].tolist()}, off by {errors[name]:.5f}")
assert errors["instance norm"] > 0.9
assert errors["group norm"] < 0.001 and errors["layer norm"] < 0.001
PY
