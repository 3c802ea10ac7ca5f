#!/usr/bin/env bash
# `ExportedProgram.run_decompositions({op: rule})`, where a rule for a composite op such as
# `aten.lstm.input` takes only some calls and hands the others to `op.decompose(...)`.
# One would guess: that is PyTorch's own decomposition.
# True: the rule is the op's decomposition meanwhile, so that it calls itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'PY' 2>/dev/null
from importlib.metadata import version

import torch

MOST = 3


class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(3, 4)

    def forward(self, x):
        return self.lstm(x)[0]


class Again(Exception):
    pass


def rule(*args, **kwargs):
    global calls
    calls += 1
    if calls > MOST:
        raise Again
    return op.decompose(*args, **kwargs)


print("torch", version("torch"))
op, calls = torch.ops.aten.lstm.input, 0
program = torch.export.export(Layer().eval(), (torch.randn(2, 1, 3),))
count = sum(node.target is op for node in program.graph.nodes)
try:
    program.run_decompositions({op: rule})
except Again:
    pass
print(f"{count} such op in the program; its rule was called {calls} times, each time by itself")
assert (count, calls) == (1, MOST + 1)
PY
