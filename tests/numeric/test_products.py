"""Products by one constant matrix are linear layers, however they are written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import Function
from torch.nn.functional import linear

from .cases import Case, check
from .computed_products import odd_products
from .random_layers import tensor

RNG = np.random.default_rng(8)
WEIGHT, BIAS = tensor(RNG, 5, 8), tensor(RNG, 5)
IMAGES, TOKENS = tensor(RNG, 3, 8, 4), tensor(RNG, 3, 4, 8)
# More elements than are repeated at compile time.
WIDE = tensor(RNG, 700, 800) / 28

SHARED = {
    "rows of images": (lambda x: linear(x, WEIGHT, BIAS), TOKENS),
    "rows of videos": (lambda x: linear(x, WEIGHT, BIAS), TOKENS[:, None]),
    "columns of images": (lambda x: linear(x.transpose(1, 2), WEIGHT, BIAS), IMAGES),
    "columns without a bias": (lambda x: linear(x.transpose(1, 2), WEIGHT), IMAGES),
    "one row": (lambda x: linear(x, WEIGHT, BIAS), TOKENS[0, 0]),
    "one filter": (lambda x: linear(x, WEIGHT[:1], BIAS[:1]), TOKENS),
    "matmul of columns": (lambda x: x.transpose(1, 2) @ WEIGHT.T + BIAS, IMAGES),
    "wide matmul of columns": (lambda x: x.transpose(1, 2) @ WIDE.T, tensor(RNG, 3, 800, 4)),
    "bmm": (lambda x: torch.bmm(x, WEIGHT.T.expand(3, 8, 5)), TOKENS),
    "einsum": (lambda x: torch.einsum("bik,fk->bif", x, WEIGHT), TOKENS),
}
OTHERS = {
    "a vector of weights": (lambda x: linear(x, WEIGHT[0]), TOKENS),
    "constants for each image": (lambda x: torch.bmm(x, IMAGES), TOKENS),
    "computed": (lambda x: torch.bmm(x, x.transpose(1, 2)), TOKENS),
    "weights first": (lambda x: WEIGHT @ x, IMAGES),
}


def test_products(tmp_path: Path) -> None:
    cases = [
        Case(name, Function(lambda self, x, f=function: f(x)), (x.clone(),))
        for name, (function, x) in (SHARED | OTHERS).items()
    ]
    (tmp_path / "shared").mkdir()
    compiled = check(cases[: len(SHARED)], tmp_path / "shared")
    assert len(compiled.bundle.manifest.layers) == len(SHARED)
    compiled = check(cases[len(SHARED) :], tmp_path)
    assert [layer.op for layer in compiled.bundle.manifest.layers] == ["product"] * 2


@pytest.mark.parametrize("target", ["host", "x86-64-v3"])
def test_products_of_odd_sizes(target: str, tmp_path: Path) -> None:
    cases = odd_products()
    layers = check(cases, tmp_path, target).bundle.layers
    assert [layer.op for layer in layers].count("product") == len(cases)


def test_infinite_values_stay_in_their_columns(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    a, b = tensor(rng, 2, 9, 5), tensor(rng, 2, 5, 131)
    b[0, -1, -1] = torch.inf
    check([Case("infinite", Function(lambda self, a, b: a @ b), (a, b))], tmp_path)
