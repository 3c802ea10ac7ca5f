#!/usr/bin/env bash
# torch.ao.quantization.quantize_dynamic of a module in eval mode.
# One would guess: the result is in eval mode too, as it can do nothing but inference.
# True: the quantised layers that it puts in say `training = True`, while the module around them says
# False: a tool that refuses modules in training mode gives the wrong advice there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'PY'
import warnings
from importlib.metadata import version

import torch

warnings.simplefilter("ignore")
print("torch", version("torch"))
network = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()).eval()
quantised = torch.ao.quantization.quantize_dynamic(network)
modes = {name or "the whole": module.training for name, module in quantised.named_modules()}
print("training mode:", modes)
assert not modes["the whole"]
assert not modes["1"]
assert modes["0"]
PY
