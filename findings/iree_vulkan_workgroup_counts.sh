#!/usr/bin/env bash
# A sum of 67 million numbers, and a transpose of many small matrices, compiled for Android's GPUs.
# One would guess: IREE launches no more workgroups along an axis than its description of the target
# allows, max_workgroup_counts = [65535, 65535, 65535]: more are invalid in Vulkan where a device
# offers that least number, and most GPUs of phones do.
# True: all workgroups lie along x, 262144 and 280002 of them, without a word. How many there are
# stands in IREE's module from the phase "executable-targets" on.
# Nothing is run: no device is needed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet iree-base-compiler==3.13.0
cat > "$folder/sum.mlir" <<'MLIR'
#map = affine_map<(i) -> (i)>
func.func @main(%a: tensor<67108864xf32>, %b: tensor<67108864xf32>) -> tensor<67108864xf32> {
  %room = tensor.empty() : tensor<67108864xf32>
  %sum = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]}
      ins(%a, %b : tensor<67108864xf32>, tensor<67108864xf32>) outs(%room : tensor<67108864xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %both = arith.addf %p, %q : f32
      linalg.yield %both : f32
  } -> tensor<67108864xf32>
  return %sum : tensor<67108864xf32>
}
MLIR
cat > "$folder/transpose.mlir" <<'MLIR'
func.func @main(%a: tensor<140001x2x3xf32>) -> tensor<2x140001x3xf32> {
  %room = tensor.empty() : tensor<2x140001x3xf32>
  %turned = linalg.transpose ins(%a : tensor<140001x2x3xf32>)
                             outs(%room : tensor<2x140001x3xf32>) permutation = [1, 0, 2]
  return %turned : tensor<2x140001x3xf32>
}
MLIR
for name in sum transpose; do
  "$folder/venv/bin/iree-compile" "$folder/$name.mlir" -o "$folder/$name.targets.mlir" \
    --iree-hal-target-device=vulkan --iree-vulkan-target=vp_android_baseline_2022 \
    --compile-to=executable-targets
done
"$folder/venv/bin/python" - "$folder" <<'PY'
import re
import sys
from importlib.metadata import version
from pathlib import Path

print("iree-base-compiler", version("iree-base-compiler"))
found = {}
for name in ("sum", "transpose"):
    text = Path(sys.argv[1], f"{name}.targets.mlir").read_text()
    allowed = set(re.findall(r"max_workgroup_counts = (\[[^\]]*\])", text))
    found[name] = [tuple(map(int, counts)) for counts in re.findall(
        r"hal\.return %c(\d+)(?:_\d+)?, %c(\d+)(?:_\d+)?, %c(\d+)", text)]
    print(f"{name}: allowed {allowed}, launched {found[name]}")
    assert allowed == {"[65535, 65535, 65535]"}
assert found == {"sum": [(262144, 1, 1)], "transpose": [(280002, 1, 1)]}
PY
