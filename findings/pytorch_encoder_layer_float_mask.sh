#!/usr/bin/env bash
# `torch.nn.TransformerEncoderLayer` in eval mode, without gradients, with a float `src_mask`.
# One would guess: it is added to the scores, as the documentation says and as it is with gradients.
# True: the fast path takes it for a boolean one, in which whatever is not zero is forbidden; with a
# mask without zeros every result is NaN. `torch.backends.mha.set_fastpath_enabled(False)` helps.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'PY' 2>/dev/null
import torch

print("torch", torch.__version__)
torch.manual_seed(0)
layer = torch.nn.TransformerEncoderLayer(8, 2, 16, 0, batch_first=True).eval()
x, mask = torch.randn(1, 3, 8), torch.randn(3, 3)
slow = layer(x, src_mask=mask).detach()
with torch.no_grad():
    fast = layer(x, src_mask=mask)
    torch.backends.mha.set_fastpath_enabled(False)
    without = layer(x, src_mask=mask)
print("with gradients:", slow[0, 0, :4].tolist())
print("without:", fast[0, 0, :4].tolist())
print("without, fast path off:", without[0, 0, :4].tolist())
assert slow.isfinite().all()
assert fast.isnan().all()
assert torch.allclose(slow, without, atol=1e-5)
PY
