#!/usr/bin/env bash
# copy.deepcopy of a module with a mask of torch.nn.utils.prune.
# One would guess: modules can be copied, before and after they have computed something.
# True: once it has been called, its `weight` is a tensor with a history of gradients, which deepcopy
# refuses. Before its first call it can be copied.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'PY'
from copy import deepcopy
from importlib.metadata import version

import torch
from torch.nn.utils import prune

print("torch", version("torch"))
layer = prune.l1_unstructured(torch.nn.Linear(4, 4), "weight", 0.5)
x = torch.randn(2, 4)
layer(x)
try:
    deepcopy(layer)
except RuntimeError as error:
    print("after a call:  ", str(error).splitlines()[0][:90])
else:
    raise SystemExit("copied, as expected")
with torch.no_grad():
    layer(x)
deepcopy(layer)
print("after a call without gradients: copied")
PY
