#!/usr/bin/env bash
# IREE compiles one program whose ops are placed on two devices by affinities.
# One would guess: what compiles and runs for two CPUs compiles for a CPU and a Vulkan GPU, too.
# True: a tensor that one of the two computes and the other reads has memory of "either device", for
# which IREE finds no memory properties: "failed to legalize operation
# 'hal.allocator.resolve_memory_properties'". A network on both needs a program for each.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy iree-base-compiler==3.13.0 iree-base-runtime==3.13.0
cat > "$folder/two.mlir" <<'MLIR'
func.func @main(%a: tensor<4x8xf32>, %b: tensor<8x4xf32>) -> tensor<4x4xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4x4xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x4xf32>) -> tensor<4x4xf32>
  %first = linalg.matmul {stream.affinity = #hal.device.promise<@one>}
      ins(%a, %b : tensor<4x8xf32>, tensor<8x4xf32>) outs(%zeros : tensor<4x4xf32>) -> tensor<4x4xf32>
  %there = flow.tensor.transfer %first : tensor<4x4xf32> to #hal.device.promise<@two>
  %second = linalg.matmul ins(%there, %there : tensor<4x4xf32>, tensor<4x4xf32>)
      outs(%zeros : tensor<4x4xf32>) -> tensor<4x4xf32>
  %back = flow.tensor.transfer %second : tensor<4x4xf32> to #hal.device.promise<@one>
  return %back : tensor<4x4xf32>
}
MLIR
"$folder/venv/bin/python" - "$folder" <<'PY'
import subprocess
import sys
from importlib.metadata import version

folder = sys.argv[1]
print("iree-base-compiler", version("iree-base-compiler"))


def compiled(second):
    command = [f"{folder}/venv/bin/iree-compile", f"{folder}/two.mlir", "-o", f"{folder}/two.vmfb"]
    command += ["--iree-hal-target-device=one=local[0]", f"--iree-hal-target-device=two={second}"]
    command += ["--iree-hal-local-target-device-backends=llvm-cpu", "--iree-llvmcpu-target-cpu=host"]
    return subprocess.run(command, capture_output=True, text=True)


both = compiled("local[1]")
assert both.returncode == 0, both.stderr
call = [f"{folder}/venv/bin/iree-run-module", f"--module={folder}/two.vmfb", "--function=main"]
call += ["--device=local-task", "--device=local-task", "--input=4x8xf32=1", "--input=8x4xf32=2"]
told = subprocess.run(call, capture_output=True, text=True, check=True).stdout
print("two CPUs:", told.strip().splitlines()[-1])
assert "4x4xf32=[1024 1024 1024 1024]" in told

refused = compiled("vulkan[0]")
line = next(line for line in refused.stderr.splitlines() if "error:" in line)
print("CPU and GPU:", line.partition("error:")[2][:90])
assert refused.returncode != 0
assert "hal.allocator.resolve_memory_properties" in line
PY
