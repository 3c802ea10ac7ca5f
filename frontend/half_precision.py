"""Sums of float16 values in float32, as PyTorch and ONNX Runtime compute them.

    y = sum(x)      -->      y = half(sum(float(x)))        x: float16

IREE adds float16 in float16: a sum stagnates from 2,048 equal values on, and squares of 256 are
infinite. Weights become float32 when constants are folded, so layers of float16 get kernels.
Elementwise ops of one step stay: PyTorch rounds after each of them, too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch._ops import OpOverload
from torch.utils import _pytree as pytree

aten = torch.ops.aten
Rule = Callable[..., Any]

# Ops that add or multiply more than two values and stay one op for torch-mlir. PyTorch's own rules
# for other norms, for interpolation and attention compute in float32 already.
SUMS = (
    aten._native_batch_norm_legit_no_training.default,
    aten._softmax.default,
    aten.addmm.default,
    aten.avg_pool1d.default,
    aten.avg_pool2d.default,
    aten.avg_pool3d.default,
    aten.baddbmm.default,
    aten.bmm.default,
    aten.convolution.default,
    aten.cumprod.default,
    aten.cumsum.default,
    aten.gru.input,
    aten.gru_cell.default,
    aten.linalg_vector_norm.default,
    aten.logcumsumexp.default,
    aten.lstm.input,
    aten.lstm_cell.default,
    aten.mean.default,
    aten.mean.dim,
    aten.mm.default,
    aten.norm.Scalar,
    aten.norm.ScalarOpt_dim,
    aten.prod.default,
    aten.prod.dim_int,
    aten.rnn_relu.input,
    aten.rnn_relu_cell.default,
    aten.rnn_tanh.input,
    aten.rnn_tanh_cell.default,
    aten.sum.default,
    aten.sum.dim_IntList,
)

# Elementwise ops of several steps, between which PyTorch does not round.
FORMULAS = (
    aten.addcdiv.default,
    aten.addcmul.default,
    aten.div.Scalar_mode,
    aten.div.Tensor_mode,
    aten.elu.default,
    aten.floor_divide.default,
    aten.fmod.Scalar,
    aten.fmod.Tensor,
    aten.gelu.default,
    aten.hardsigmoid.default,
    aten.hardswish.default,
    aten.lerp.Scalar,
    aten.lerp.Tensor,
    aten.log_sigmoid_forward.default,
    aten.logaddexp.default,
    aten.logaddexp2.default,
    aten.logit.default,
    aten.mish.default,
    aten.remainder.Scalar,
    aten.remainder.Tensor,
    aten.round.decimals,
    aten.sigmoid.default,
    aten.silu.default,
    aten.sinc.default,
    aten.softplus.default,
    aten.special_entr.default,
    aten.special_xlog1py.default,
    aten.xlogy.Tensor,
)


def widened(table: Mapping[OpOverload, Rule]) -> dict[OpOverload, Rule]:
    """Rules for `SUMS` and `FORMULAS`; those that `table` has already hold for float32."""
    return {op: functools.partial(_in_float32, op, table.get(op)) for op in (*SUMS, *FORMULAS)}


def _in_float32(op: OpOverload, rule: Rule | None, *args: Any, **kwargs: Any) -> Any:
    halves = [leaf for leaf in pytree.tree_leaves((args, kwargs)) if _is_half(leaf)]
    if not halves or kwargs.get("dtype") not in (None, torch.float16):
        return NotImplemented if rule is None else rule(*args, **kwargs)
    wide = {name: value for name, value in kwargs.items() if name != "dtype"}
    args, wide = pytree.tree_map(
        lambda leaf: leaf.float() if _is_half(leaf) else leaf, (args, wide)
    )
    return pytree.tree_map(lambda result: result.half(), op(*args, **wide))


def _is_half(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dtype == torch.float16
