#!/usr/bin/env bash
# torch.nn.functional.interpolate to the nearest pixel, by a scale that doubles the size after
# rounding down: 4 pixels by 2.2 make 8.
# One would guess: a row of pixels is resized in the same way whether it is alone (1-D), in an image
# (2-D) or in a volume (3-D), by the scale that was given.
# True: in 2-D, on CPUs, sizes that are the same or twice as large have code of their own, which does
# not look at the scale.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import torch
from torch.nn.functional import interpolate

print("torch", version("torch"))
row = torch.arange(4.0)
found = {}
for rank in (1, 2, 3):
    x = row.expand(1, 1, *[3] * (rank - 1), 4).contiguous()
    y = interpolate(x, scale_factor=2.2)
    found[rank] = y.reshape(-1, y.shape[-1])[0].tolist()
    print(f"{rank}-D:", found[rank])
assert found[1] == found[3] == [0, 0, 0, 1, 1, 2, 2, 3]
assert found[2] == [0, 0, 1, 1, 2, 2, 3, 3]
PY
