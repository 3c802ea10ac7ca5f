#!/usr/bin/env bash
# torch-pruning removes whole channels; `round_to=8` keeps their number a multiple of 8.
# One would guess: asked for 90 % of 24 channels it leaves 8, the nearest multiple that is not zero.
# True: it removes nothing at all, without a word; asked for 50 % it leaves 8.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 torch-pruning==1.6.1
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import torch
import torch_pruning

print("torch", version("torch"), "torch-pruning", version("torch-pruning"))
left = {}
for ratio in (0.5, 0.9):
    for round_to in (None, 8):
        first, second = torch.nn.Conv2d(3, 24, 3), torch.nn.Conv2d(24, 3, 3)
        pruner = torch_pruning.pruner.MagnitudePruner(
            torch.nn.Sequential(first, second),
            torch.zeros(1, 3, 8, 8),
            importance=torch_pruning.importance.MagnitudeImportance(),
            pruning_ratio=ratio,
            round_to=round_to,
            ignored_layers=[second],
        )
        pruner.step()
        left[ratio, round_to] = first.out_channels
        print(f"pruning_ratio={ratio}, round_to={round_to}: {first.out_channels} of 24 channels left")
assert left[0.9, None] < 8
assert left[0.9, 8] == 24
PY
