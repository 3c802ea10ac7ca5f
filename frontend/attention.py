"""Scaled dot-product attention as one op, where there are kernels for it.

    y = softmax(q @ k.T * scale + mask) @ v      -->      y = niwaki::attention(q, k, v, mask)

PyTorch calls it `scaled_dot_product_attention`, and `MultiheadAttention` without its weights as a
result and transformer layers call that. What has no kernel stays PyTorch's own ops: float64,
random dropout, more than four dimensions.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from niwaki.dialects.attention import MOST_NUMBERS
from niwaki.frontend.attention_op import NAME, attention_options
from niwaki.frontend.torch_own_ops import define, own_op

aten = torch.ops.aten

_ELEMENTS = (torch.float32, torch.float16)

define(NAME, 4, lambda _, q, k, v, mask: [q.new_empty((*q.shape[:-1], v.shape[-1]))])


def attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """Our op where there are kernels, else what PyTorch makes of it."""
    if key.shape[-2] == 0:  # sums of nothing, whose products end torch-mlir
        return query.new_zeros((*query.shape[:-1], value.shape[-1]))
    if dropout_p or not has_kernels(query, key, value, attn_mask):
        parts = aten._scaled_dot_product_attention_math.default
        options = {"scale": scale, "enable_gqa": enable_gqa}
        return parts(query, key, value, attn_mask, dropout_p, is_causal, **options)[0]
    q, k, v = map(of_four_dimensions, (query, key, value))
    batch, key_heads = max(q.shape[0], k.shape[0], v.shape[0]), max(k.shape[1], v.shape[1])
    q = q.expand(batch, max(q.shape[1], key_heads), -1, -1)
    k, v = (x.expand(batch, key_heads, -1, -1) for x in (k, v))
    mask = None if attn_mask is None else mask_of_four_dimensions(attn_mask, query.dim())
    options = attention_options(
        1 / math.sqrt(query.shape[-1]) if scale is None else scale, offset=0 if is_causal else None
    )
    result = own_op(NAME, [q, k, v, mask], options)
    assert isinstance(result, torch.Tensor)
    result = result if query.dim() > 3 else result.squeeze(1)
    return result if query.dim() > 2 else result.squeeze(0)


def has_kernels(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None
) -> bool:
    """Whether element types and sizes are those of kernels."""
    tensors = (query, key, value)
    same = {x.dtype for x in tensors} <= {query.dtype} and query.dtype in _ELEMENTS
    masked = mask is None or mask.dtype in (*_ELEMENTS, torch.bool)
    known = all(2 <= x.dim() <= 4 and 0 not in x.shape for x in tensors)
    small = max(query.shape[-1], value.shape[-1]) <= MOST_NUMBERS
    return same and masked and known and small and len({x.dim() for x in tensors}) == 1


def of_four_dimensions(x: torch.Tensor) -> torch.Tensor:
    """With one head where there are only tokens, or a batch of them."""
    x = x if x.dim() > 2 else x.unsqueeze(0)
    return x if x.dim() > 3 else x.unsqueeze(1)


def mask_of_four_dimensions(mask: torch.Tensor, dimensions: int) -> torch.Tensor:
    """A mask that is the same for all whose dimension it lacks; queries have so many."""
    mask = mask.reshape([1] * (dimensions - mask.dim()) + list(mask.shape))
    return of_four_dimensions(mask)


RULES = {aten.scaled_dot_product_attention.default: attention}
