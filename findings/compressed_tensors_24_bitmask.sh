#!/usr/bin/env bash
# compressed-tensors' format `sparse-24-bitmask` stores two values of every four.
# One would guess: a matrix that is not 2 of 4 sparse is refused, or kept whole.
# True: the two largest magnitudes of every four are kept and the others dropped, silently;
# `sparse-bitmask` keeps every value of the same matrix.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 compressed-tensors==0.12.2
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import torch
from compressed_tensors.compressors import sparse_compressors as formats

print("torch", version("torch"), "compressed-tensors", version("compressed-tensors"))
weight = torch.tensor([[1.0, 2, 3, 4, 0, 5, 6, 0]])
through_24 = formats.sparse24_bitmask_decompress(
    *formats.sparse24_bitmask_compress(weight), weight.shape
)
through_bitmask = formats.BitmaskTensor.from_dense(weight).decompress()
print("matrix          ", weight[0].tolist())
print("sparse-24-bitmask", through_24[0].tolist())
print("sparse-bitmask   ", through_bitmask[0].tolist())
assert through_24[0].tolist() == [0, 0, 3, 4, 0, 5, 6, 0]
assert torch.equal(through_bitmask, weight)
PY
