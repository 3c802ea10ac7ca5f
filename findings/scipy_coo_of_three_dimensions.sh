#!/usr/bin/env bash
# `scipy.sparse.save_npz` of a COO array: pruned weights of convolutions have more than two dimensions.
# One would guess: an .npz of format "coo" has the members `row`, `col`, `data`, `shape`.
# True: only in two dimensions. An array of any other rank has `coords`, one row a dimension, and
# neither `row` nor `col`: a reader by member names must know both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet scipy==1.17.1
"$folder/venv/bin/python" - "$folder" <<'PY'
import sys
from importlib.metadata import version

import numpy as np
from scipy import sparse

print("scipy", version("scipy"))
members = {}
for shape in ((6,), (2, 3), (2, 3, 4)):
    dense = np.zeros(shape, "f4")
    dense[tuple(size - 1 for size in shape)] = 5
    sparse.save_npz(f"{sys.argv[1]}/a.npz", sparse.coo_array(dense))
    members[len(shape)] = sorted(np.load(f"{sys.argv[1]}/a.npz").files)
    print(f"{len(shape)}-D:", *members[len(shape)])
assert {"row", "col"} <= set(members[2])
for rank in (1, 3):
    assert "coords" in members[rank]
    assert not {"row", "col"} & set(members[rank])
PY
