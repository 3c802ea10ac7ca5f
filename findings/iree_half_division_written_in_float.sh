#!/usr/bin/env bash
# IREE's compiler, arm64 with f16 arithmetic: a division of f16 numbers that is written in f32, between
# widening and rounding, as one does to keep numbers below 6.1e-5, which IREE's workers flush in f16.
# One would guess: it is computed in f32.
# True: LLVM sees that the result is the same and divides in f16, where small numbers are flushed
# after all. Only without the feature `fullfp16` is the division one of f32.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet iree-base-compiler==3.13.0
cd "$folder"
cat > divide.mlir <<'MLIR'
#map = affine_map<(d0) -> (d0)>
func.func @main(%a: tensor<512xf16>, %b: tensor<512xf16>) -> tensor<512xf16> {
  %empty = tensor.empty() : tensor<512xf16>
  %y = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]}
      ins(%a, %b : tensor<512xf16>, tensor<512xf16>) outs(%empty : tensor<512xf16>) {
  ^bb0(%x: f16, %z: f16, %out: f16):
    %0 = arith.extf %x : f16 to f32
    %1 = arith.extf %z : f16 to f32
    %2 = arith.divf %0, %1 : f32
    %3 = arith.truncf %2 : f32 to f16
    linalg.yield %3 : f16
  } -> tensor<512xf16>
  return %y : tensor<512xf16>
}
MLIR
venv/bin/pip list 2> /dev/null | grep iree
for feature in +fullfp16 -fullfp16; do
    venv/bin/iree-compile divide.mlir -o divide.vmfb \
        --iree-hal-target-device=local --iree-hal-local-target-device-backends=llvm-cpu \
        --iree-llvmcpu-target-triple=aarch64-linux-gnu --iree-llvmcpu-target-cpu=cortex-a76 \
        --iree-llvmcpu-target-cpu-features="$feature" \
        --iree-hal-dump-executable-intermediates-to="$folder/$feature"
    grep -h 'fdiv.*v[0-9]' "./$feature"/*.s | sort -u > "./$feature.txt"
    echo "$feature:" "$(cat "./$feature.txt")"
done
grep -q 'fdiv.*\.[48]h' ./+fullfp16.txt
if grep -q 'fdiv.*\.4s' ./+fullfp16.txt; then exit 1; fi
grep -q 'fdiv.*\.4s' ./-fullfp16.txt
