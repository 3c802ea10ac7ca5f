"""One module for the networks of all lengths, so that they share weights.

    module {                              module {
      func.func private @matvec_0           func.func private @row_gemm_0
      func.func @main                       func.func @main
    }                                       func.func private @matvec_1
    module {                       -->      func.func @main_32
      func.func private @row_gemm_0       }
      func.func @main
    }

Constants that are equal become one parameter afterwards (`emit-iree`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch_mlir.ir as ir

from niwaki.passes.base import function_ops
from niwaki.passes.dispatches import kernel_functions, kernel_name
from niwaki.passes.kernels.library import family_of

MAIN = "main"


def function_name(length: int, longest: int) -> str:
    """The entry point of a network."""
    return MAIN if length == longest else f"{MAIN}_{length}"


def join_modules(modules: Mapping[int, Any], longest: int) -> Any:
    """The module of the longest network (`ir.Operation`), with all others in it."""
    whole = modules[longest]
    kernels = len(kernel_functions(whole))
    for length, module in modules.items():
        if length == longest:
            continue
        kernels = _rename_kernels(module, kernels)
        rename_functions(module, {MAIN: function_name(length, longest)}, f"_{length}")
        for op in list(module.regions[0].blocks[0].operations):
            whole.regions[0].blocks[0].append(op.operation)
    return whole


def rename_functions(module: Any, names: Mapping[str, str], ending: str) -> None:
    """Give functions that are no kernels `names`; those that have none there, an `ending`."""
    kernels = {function.name.value for function in kernel_functions(module)}
    for op in module.regions[0].blocks[0].operations:
        old = op.operation.attributes["sym_name"].value
        if old not in kernels:
            new = names.get(old, f"{old}{ending}")
            ir.SymbolTable.replace_all_symbol_uses(old, new, module)
            op.operation.attributes["sym_name"] = ir.StringAttr.get(new)


def _rename_kernels(module: Any, first: int) -> int:
    """Number kernels and their calls from `first` on; returns the number behind the last."""
    names = {}
    for number, function in enumerate(kernel_functions(module), first):
        old = function.name.value
        names[old] = f"{family_of(old)}_{number}"
        function.operation.attributes["sym_name"] = ir.StringAttr.get(names[old])
    for op in function_ops(module):
        if (called := kernel_name(op)) is not None:
            symbol = ir.FlatSymbolRefAttr.get(names[called])
            op.operation.attributes["entry_points"] = ir.ArrayAttr.get([symbol])
    return first + len(names)
