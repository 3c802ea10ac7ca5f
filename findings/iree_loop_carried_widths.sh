#!/usr/bin/env bash
# IREE compiles a loop that carries two numbers of 32 bits and two of 64, and swaps both pairs.
# One would guess: each has the other's value after a turn.
# True: an i64 gets an i32 as its upper half. Registers of 64 bits are two of 32, and where a branch
# hands values on crosswise, the order of moves minds registers of the same number alone. Which values
# suffer depends on where they happen to be: conditions (i1) are numbers of 32 bits here, so that a
# loop may end too early. Loops whose numbers are all of 64 bits are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy iree-base-compiler==3.13.0 iree-base-runtime==3.13.0
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
from iree import compiler, runtime

CODE = """
func.func @swap(%n: tensor<i64>, %x: tensor<2xi32>, %y: tensor<2xi64>) -> (tensor<2xi32>, tensor<2xi64>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %length = tensor.extract %n[] : tensor<i64>
  %turns = arith.index_cast %length : i64 to index
  %a = tensor.extract %x[%zero] : tensor<2xi32>
  %b = tensor.extract %x[%one] : tensor<2xi32>
  %c = tensor.extract %y[%zero] : tensor<2xi64>
  %d = tensor.extract %y[%one] : tensor<2xi64>
  %r:4 = scf.for %i = %zero to %turns step %one iter_args(%p = %a, %q = %c, %s = %d, %t = %b) -> (i32, i64, i64, i32) {
    scf.yield %t, %s, %q, %p : i32, i64, i64, i32
  }
  %u = tensor.from_elements %r#0, %r#3 : tensor<2xi32>
  %v = tensor.from_elements %r#1, %r#2 : tensor<2xi64>
  return %u, %v : tensor<2xi32>, tensor<2xi64>
}
"""


def swapped(code, kind):
    module = compiler.compile_str(code, target_backends=["llvm-cpu"], extra_args=["--iree-llvmcpu-target-cpu=host"])
    swap = runtime.load_vm_flatbuffer(module, driver="local-sync").swap
    results = swap(np.array(1), np.array([1, 2], kind), np.array([3, 4], np.int64))
    return [list(map(int, result.to_host())) for result in results]


print("iree-base-compiler", version("iree-base-compiler"))
mixed, wide = swapped(CODE, np.int32), swapped(CODE.replace("i32", "i64"), np.int64)
print("of 32 and 64 bits: expected [[2, 1], [4, 3]] came", mixed)
print("all of 64 bits:    expected [[2, 1], [4, 3]] came", wide)
assert mixed[0] == [2, 1] and mixed[1] != [4, 3], mixed
assert wide == [[2, 1], [4, 3]]
PY
