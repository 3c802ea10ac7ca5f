"""Activations and norms after the import give what PyTorch gives, NaN and infinity included."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import iree.compiler
import iree.runtime
import numpy as np
import pytest
import torch
from small_networks import Function
from torch.nn import functional

from niwaki.dialects import context
from niwaki.frontend import import_torch
from niwaki.passes import Session, parse_pipeline, run_pipeline
from niwaki.passes.expand_normalizations import ExpandNormalizationsPass

FUNCTIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": functional.relu,
    "relu6": functional.relu6,
    "hardtanh": functional.hardtanh,
    "hardswish": functional.hardswish,
    "hardsigmoid": functional.hardsigmoid,
    "leaky_relu": functional.leaky_relu,
    "elu": functional.elu,
    "silu": functional.silu,
    "mish": functional.mish,
    "softplus": functional.softplus,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
    "gelu of tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "clamp": lambda x: torch.clamp(x, -1, 2),
    "clamp from below": lambda x: torch.clamp(x, min=0),
    "maximum": lambda x: torch.maximum(x, x.flip(1)),
    "minimum": lambda x: torch.minimum(x, x.flip(1)),
    "where": lambda x: torch.where(x > 0, x, 0.5),
    "max_pool": lambda x: functional.max_pool1d(x[None], 2)[0],
    "avg_pool": lambda x: functional.avg_pool1d(x[None], 2)[0],
    "softmax": lambda x: torch.softmax(x, 1),
    "threshold": lambda x: functional.threshold(x, 0.3, 20.0),
    "var": lambda x: torch.var(x, 1),
    "var_mean": lambda x: torch.cat(torch.var_mean(x, (0, 1), correction=0, keepdim=True)),
    "layer_norm": lambda x: functional.layer_norm(x, (4,)),
    "group_norm": lambda x: functional.group_norm(x, 2),
}

FINITE = torch.tensor([[-7.0, -3.5, -1.0, -0.25], [-0.0, 0.0, 1e-3, 0.3], [1.0, 2.5, 5.9, 8.0]])
# gelu(+inf) is left out: PyTorch's depends on the vector unit (NaN or infinity).
SPECIAL = torch.tensor(
    [[math.nan, 1.0, 2.0, -1.0], [-math.inf, 7.0, 0.5, 0.0], [3.0, math.nan, 4.0, -2.0]]
)


@pytest.fixture(scope="module")
def compiled() -> Any:
    """All functions as one network, through IREE alone; norms, which it does not know, apart."""
    model = Function(lambda self, x: [function(x) for function in FUNCTIONS.values()])
    imported = import_torch(model, FINITE, context())
    expand = f"builtin.module({ExpandNormalizationsPass.name}{{always=true}})"
    run_pipeline(imported.module.operation, parse_pipeline(expand), Session())
    code = iree.compiler.compile_str(
        str(imported.module),
        extra_args=[
            "--iree-hal-target-device=local",
            "--iree-hal-local-target-device-backends=llvm-cpu",
            "--iree-llvmcpu-target-cpu=host",
        ],
    )
    return iree.runtime.load_vm_flatbuffer(code, driver="local-sync").main


@pytest.mark.parametrize("values", [FINITE, SPECIAL], ids=["finite", "special"])
def test_same_as_pytorch(compiled: Any, values: torch.Tensor) -> None:
    for name, result in zip(FUNCTIONS, compiled(values.numpy()), strict=True):
        expected = FUNCTIONS[name](values).numpy()
        np.testing.assert_allclose(result.to_host(), expected, rtol=2e-4, atol=2e-5, err_msg=name)
