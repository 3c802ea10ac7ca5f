#!/usr/bin/env bash
# IREE sorts one tensor twice, upwards and downwards, each time together with the positions 0 to 7.
# One would guess: two sorts that start from the same positions give two orders.
# True: neither is right, and one is nothing but zeros. Each alone gives the right order.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy iree-base-compiler==3.13.0 iree-base-runtime==3.13.0
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
from iree import compiler, runtime

NUMBERS = """
  %empty = tensor.empty() : tensor<8xi64>
  %numbers = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      outs(%empty : tensor<8xi64>) {
  ^bb0(%o: i64):
    %i = linalg.index 0 : index
    %n = arith.index_cast %i : index to i64
    linalg.yield %n : i64
  } -> tensor<8xi64>"""
SORT = """
  %{0}:2 = iree_linalg_ext.sort dimension(0)
      outs(%x, %numbers : tensor<8xf32>, tensor<8xi64>) {{
  ^bb0(%a: f32, %b: f32, %c: i64, %d: i64):
    %{0}_less = arith.cmpf {1}, %a, %b : f32
    iree_linalg_ext.yield %{0}_less : i1
  }} -> tensor<8xf32>, tensor<8xi64>"""
UP, DOWN = SORT.format("up", "olt"), SORT.format("down", "ogt")


def orders(sorts, results):
    kinds = ", ".join(["tensor<8xi64>"] * len(results))
    code = f"func.func @sort(%x: tensor<8xf32>) -> ({kinds}) {{{NUMBERS}{sorts}\n"
    code += f"  return {', '.join(results)} : {kinds}\n}}"
    arguments = ["--iree-llvmcpu-target-cpu=host"]
    made = compiler.compile_str(code, target_backends=["llvm-cpu"], extra_args=arguments)
    context = runtime.SystemContext(config=runtime.Config("local-sync"))
    context.add_vm_module(runtime.VmModule.copy_buffer(context.instance, made))
    x = np.array([3, 1, 7, 5, 0, 6, 2, 4], "f4")
    found = context.modules.module.sort(x)
    return [one.to_host().tolist() for one in (found if len(results) > 1 else [found])]


print("iree-base-compiler", version("iree-base-compiler"))
alone = orders(UP, ["%up#1"])
both = orders(UP + DOWN, ["%up#1", "%down#1"])
print("upwards alone:", *alone)
print("both:         ", *both, "expected", *alone, "and its reverse")
assert alone == [[4, 1, 6, 0, 7, 3, 5, 2]]
assert alone[0] not in both
assert [0] * 8 in both
PY
