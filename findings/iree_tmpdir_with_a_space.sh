#!/usr/bin/env bash
# iree-compile for a CPU, where TMPDIR names a folder with a space in its path.
# One would guess: TMPDIR may be any folder; the input's and the output's path may have spaces too.
# True: the linker's command is put together without quotes, so that linking fails. A relative path
# without a space helps: run it in that folder with TMPDIR=.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet iree-base-compiler==3.13.0
mkdir "$folder/a b"
cd "$folder/a b"
cat > double.mlir <<'MLIR'
func.func @double(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = arith.addf %x, %x : tensor<4xf32>
  return %y : tensor<4xf32>
}
MLIR
compile() {
  "$folder/venv/bin/iree-compile" --iree-hal-target-backends=llvm-cpu \
    --iree-llvmcpu-target-cpu=host double.mlir -o out.vmfb
}
"$folder/venv/bin/pip" freeze
echo "TMPDIR with a space:"
if TMPDIR="$folder/a b" compile 2> errors; then
  echo "compiled, as expected"
  exit 1
fi
grep -m 1 "error:" errors
echo "the same folder as TMPDIR=."
TMPDIR=. compile && echo "compiled"
