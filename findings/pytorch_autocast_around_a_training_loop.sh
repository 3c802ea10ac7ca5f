#!/usr/bin/env bash
# `torch.autocast("cpu", torch.bfloat16)` around a whole training loop instead of each step.
# One would guess: each forward step casts the weights as they are then.
# True: casts of weights are kept until the outermost context ends, and an optimiser's step does not
# drop them. So the network computes with its first weights, the loss never falls, and nothing warns.
# A context for each step helps, or `cache_enabled=False`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'PY'
from contextlib import nullcontext

import torch

print("torch", torch.__version__)


def losses(outer, inner):
    torch.manual_seed(0)
    layer, x = torch.nn.Linear(4, 1), torch.randn(64, 4)
    optimizer, told = torch.optim.SGD(layer.parameters(), 0.1), []
    with outer():
        for _ in range(50):
            with inner():
                loss = torch.nn.functional.mse_loss(layer(x).float(), x.sum(1, keepdim=True))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            told.append(loss.item())
    print("loss %.4f, then %.4f" % (told[0], told[-1]))
    return told[0], told[-1]


def half(**more):
    return lambda: torch.autocast("cpu", torch.bfloat16, **more)


first, last = losses(nullcontext, half())
assert last < 0.01 * first
first, last = losses(half(cache_enabled=False), nullcontext)
assert last < 0.01 * first
first, last = losses(half(), nullcontext)
assert last > 0.99 * first
PY
