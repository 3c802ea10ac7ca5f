"""Elementwise ops of linalg that have names: IREE reads none of them."""

from __future__ import annotations

from pathlib import Path

import iree.compiler.dialects._linalg_ops_gen as of_iree
import numpy as np
import torch
import torch_mlir.dialects._linalg_ops_gen as ours

import niwaki
from niwaki.frontend.named_ops import BINARY, NAMES, UNARY

from .cases import TOLERANCE, difference

TORCH = {
    "negf": torch.neg, "powf": torch.pow, "max": torch.maximum, "min": torch.minimum,
}  # fmt: skip
CLASS = "OPERATION_NAME"


def test_all_that_iree_lacks_are_known() -> None:
    mine, theirs = (
        {getattr(one, CLASS) for one in vars(module).values() if hasattr(one, CLASS)}
        for module in (ours, of_iree)
    )
    assert mine - theirs == NAMES - {"linalg.elementwise"}  # its attributes print in another way


def test_numbers(tmp_path: Path) -> None:
    """Each of them, of floats above 0 and of integers; and a layer with a tail of some."""
    floats = [name for name in (*UNARY, *BINARY) if name != "div_unsigned"]
    lines = [
        f"%{name} = linalg.{name} ins({'%x : !x' if name in UNARY else '%x, %u : !x, !x'}) "
        "outs(%e : !x) -> !x"
        for name in floats
    ]
    w = np.random.default_rng(0).normal(size=(7, 7)).astype(np.float32)
    kinds = ", ".join(["!x"] * (len(floats) + 2) + ["!i"] * 2)
    results = ", ".join(f"%{name}" for name in (*floats, "row", "z", "quotient", "choice"))
    file = tmp_path / "net.mlir"
    file.write_text(
        "!x = tensor<3x7xf32>\n!w = tensor<7x7xf32>\n!i = tensor<5xi32>\n!b = tensor<5xi1>\n"
        f"func.func @main(%x: !x, %u: !x, %i: !i, %j: !i, %b: !b) -> ({kinds}) {{\n"
        "%e = tensor.empty() : !x\n%f = tensor.empty() : !i\n%zero = arith.constant 0.0 : f32\n"
        + "\n".join(lines)
        + f"""
        %row = linalg.elementwise kind=#linalg.elementwise_kind<mul>
          indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (b)>,
                           affine_map<(a, b) -> (a, b)>]
          ins(%x, %first : !x, tensor<7xf32>) outs(%e : !x) -> !x
        %w = arith.constant dense<"0x{w.tobytes().hex()}"> : !w
        %clear = linalg.fill ins(%zero : f32) outs(%e : !x) -> !x
        %p = linalg.matmul ins(%x, %w : !x, !w) outs(%clear : !x) -> !x
        %q = linalg.add ins(%p, %u : !x, !x) outs(%e : !x) -> !x
        %z = linalg.tanh ins(%q : !x) outs(%e : !x) -> !x
        %quotient = linalg.div_unsigned ins(%i, %j : !i, !i) outs(%f : !i) -> !i
        %choice = linalg.select ins(%b, %i, %j : !b, !i, !i) outs(%f : !i) -> !i
        return {results} : {kinds}
        }}""".replace(
            "%row =",
            "%first = tensor.extract_slice %u[1, 0] [1, 7] [1, 1] : !x to tensor<7xf32>\n%row =",
            1,
        )
    )
    network = niwaki.compile(file, output=tmp_path / "net.niwaki").load()
    (layer,) = network.bundle.manifest.layers
    assert layer.op == "linear"

    torch.manual_seed(0)
    x, u = (torch.rand(3, 7) * 3 + 0.1 for _ in range(2))
    i, j = torch.tensor([7, -2, 9, 0, 5]), torch.tensor([2, 3, 0, 4, -1])
    b = torch.tensor([True, False, True, False, True])
    wanted = [
        (TORCH.get(name) or getattr(torch, name))(*([x] if name in UNARY else [x, u]))
        for name in floats
    ]
    wanted += [x * u[1], torch.tanh(x @ torch.from_numpy(w) + u)]
    unsigned = [one.numpy().astype(np.int32).view(np.uint32).astype(np.int64) for one in (i, j)]
    quotient = unsigned[0] // np.maximum(unsigned[1], 1) * (unsigned[1] > 0)
    expected = [value.numpy() for value in wanted]
    expected += [quotient.astype(np.int32), torch.where(b, i, j).numpy().astype(np.int32)]
    inputs = [x.numpy(), u.numpy(), *(one.numpy().astype(np.int32) for one in (i, j)), b.numpy()]
    names = [*floats, "row", "z", "quotient", "choice"]
    for name, found, right in zip(names, network(*inputs), expected, strict=True):
        assert not (problem := difference(found, right, TOLERANCE)), f"{name}: {problem}"
