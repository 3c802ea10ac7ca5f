"""Attentions of all kinds as ops of the dialect, in one module, and what PyTorch makes of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch_mlir.ir as ir
from torch_mlir.dialects import func

import niwaki
from niwaki import dialects
from niwaki.dialects import (
    PLAIN_AXES,
    TOKENS_FIRST,
    axes_of,
    build_attention,
    offset_of,
    sizes_of,
)
from niwaki.dialects.attention import NAMES

from .cases import Array, difference

ORDERS = (PLAIN_AXES, TOKENS_FIRST, (1, 2, 0), (2, 0, 1))
MASKS = (
    (False, False, False, True),
    (False, False, True, True),
    (True, False, False, True),
    (True, True, True, True),
    (True, False, True, False),
    (False, True, False, False),
)
SHADERS = {"f32": "f32", "f16": "f32", "i1": "i1"}
DTYPES: dict[str, Any] = {"f64": np.float64, "f32": np.float32, "f16": np.float16, "i1": np.bool_}


@dataclass(frozen=True, kw_only=True)
class Attention:
    """An attention, and what its tensors look like.

    Attributes:
        mask: for batch, heads, queries and keys whether it differs between them; None without one.
        mask_type: of its elements.
        offset: of the diagonal, where it is causal.
        zeros: what queries give that see no key; NaN otherwise.
        axes: of query, key, value and result.
    """

    batch: int = 1
    heads: int = 2
    key_heads: int = 2
    queries: int = 17
    keys: int = 17
    size: int = 7
    value_size: int = 7
    mask: tuple[bool, bool, bool, bool] | None = None
    mask_type: str = "f32"
    offset: int | None = None
    softcap: float = 0.0
    scale: float = 0.3
    zeros: bool = True
    element: str = "f32"
    axes: Sequence[tuple[int, ...]] = (PLAIN_AXES,) * 4

    @property
    def tolerance(self) -> float:
        """Of the largest number of the result."""
        return 1e-3 if self.element == "f16" else 5e-6

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Of query, key, value and result, in the usual order."""
        keys = (self.batch, self.key_heads, self.keys)
        queries = (self.batch, self.heads, self.queries)
        return [
            (*queries, self.size),
            (*keys, self.size),
            (*keys, self.value_size),
            (*queries, self.value_size),
        ]

    @property
    def mask_shape(self) -> list[int]:
        """With sizes of 1 where it is the same for all."""
        assert self.mask is not None
        sizes = (self.batch, self.heads, self.queries, self.keys)
        return [size if own else 1 for size, own in zip(sizes, self.mask, strict=True)]

    def inputs(self, rng: np.random.Generator) -> list[Array]:
        """Query, key, value and mask, in the usual order."""
        dtype = DTYPES[self.element]
        found = [rng.standard_normal(shape).astype(dtype) for shape in self.shapes[:3]]
        if self.mask is not None:
            numbers, kind = rng.standard_normal(self.mask_shape), DTYPES[self.mask_type]
            found.append(numbers > 0 if kind is np.bool_ else numbers.astype(kind))
        return found

    def expected(self, query: Array, key: Array, value: Array, mask: Array | None = None) -> Array:
        """In float64."""
        q, k, v = (torch.from_numpy(x).double() for x in (query, key, value))
        k, v = (x.repeat_interleave(self.heads // self.key_heads, 1) for x in (k, v))
        scores = q @ k.transpose(-1, -2) * self.scale
        if self.softcap:
            scores = self.softcap * torch.tanh(scores / self.softcap)
        if mask is not None:
            added = torch.from_numpy(mask)
            scores = (
                scores.masked_fill(~added, -torch.inf)
                if mask.dtype == np.bool_
                else scores + added.double()
            )
        if self.offset is not None:
            seen = torch.ones(self.queries, self.keys, dtype=torch.bool).tril(self.offset)
            scores = scores.masked_fill(~seen, -torch.inf)
        none = (scores == -torch.inf).all(-1, keepdim=True)
        weights = torch.softmax(scores, -1)
        weights = weights.masked_fill(none, 0) if self.zeros else weights
        result: Array = (weights @ v).numpy().astype(DTYPES[self.element])
        return result


def attended(op: Any, query: Array, key: Array, value: Array, mask: Array | None = None) -> Array:
    """What an op of the dialect computes."""
    axes = [axes_of(op, name) for name in NAMES]
    inputs = [
        moved_back(np.array(x), own) for x, own in zip((query, key, value), axes, strict=False)
    ]
    sizes = sizes_of(op)
    told = Attention(
        **asdict(sizes),
        scale=op.scale.value,
        softcap=op.softcap.value,
        offset=offset_of(op),
        zeros=op.zeros.value,
        element="f64",
    )
    bits = mask is not None and "i1" in str(op.masks[0].type)
    masks = [] if mask is None else [mask.astype(np.bool_) if bits else np.array(mask)]
    return moved(told.expected(*inputs, *masks), axes[3])


def moved(array: Array, axes: Sequence[int]) -> Array:
    """Batch, heads and tokens of an array moved to dimensions `axes`."""
    return np.ascontiguousarray(np.moveaxis(array, [0, 1, 2], axes))


def moved_back(array: Array, axes: Sequence[int]) -> Array:
    """The inverse of `moved`."""
    return np.moveaxis(array, axes, [0, 1, 2])


def attentions_module(cases: Sequence[Attention]) -> Any:
    """A function of all inputs to all results, in the current context and location."""
    module = ir.Module.create()
    kinds: list[list[ir.Type]] = []
    for case in cases:
        element = ir.Type.parse(case.element)
        shapes = [
            moved(np.empty(shape, np.bool_), axes).shape
            for shape, axes in zip(case.shapes, case.axes, strict=True)
        ]
        tensors = [ir.RankedTensorType.get(shape, element) for shape in shapes]
        if case.mask is not None:
            mask = ir.RankedTensorType.get(case.mask_shape, ir.Type.parse(case.mask_type))
            tensors.insert(3, mask)
        kinds.append(tensors)
    inputs = [kind for each in kinds for kind in each[:-1]]
    with ir.InsertionPoint(module.body):
        function = func.FuncOp("main", (inputs, [each[-1] for each in kinds]))
    block = function.add_entry_block()
    left = iter(block.arguments)
    with ir.InsertionPoint(block):
        results = [
            build_attention(
                each[-1],
                *[next(left) for _ in each[:-1]],
                scale=case.scale,
                softcap=case.softcap,
                offset=case.offset,
                axes=case.axes,
                zeros=case.zeros,
            ).result
            for case, each in zip(cases, kinds, strict=True)
        ]
        func.return_(results)
    return module


def compiled(cases: Sequence[Attention], folder: Path, target: str = "host") -> niwaki.Bundle:
    """All cases as one bundle, `folder`/TARGET.niwaki."""
    with dialects.context(), ir.Location.name("attention"):
        (folder / "net.mlir").write_text(str(attentions_module(cases)))
    return niwaki.compile(folder / "net.mlir", target=target, output=folder / f"{target}.niwaki")


def arguments(cases: Sequence[Attention], inputs: Sequence[Sequence[Array]]) -> list[Array]:
    """What a bundle takes, given the inputs of each case in the usual order."""
    found = []
    for case, (*tensors, last) in zip(cases, inputs, strict=True):
        masked = case.mask is not None
        moving = tensors if masked else [*tensors, last]
        found += [moved(x, axes) for x, axes in zip(moving, case.axes, strict=False)]
        found += [last] if masked else []
    return found


def problems(
    cases: Sequence[Attention], inputs: Sequence[Sequence[Array]], results: Sequence[Array]
) -> list[str]:
    """A line for each case whose result is wrong."""
    found = []
    for case, given, result in zip(cases, inputs, results, strict=True):
        wanted = case.expected(*given)
        told = difference(moved_back(result, case.axes[3]), wanted, case.tolerance)
        found += [f"{case} {told}"] if told else []
    return found


def odd_attentions() -> list[Attention]:
    """Few and many queries of all sizes, in any order of axes."""
    found = [
        Attention(queries=1, keys=1, size=1, value_size=1),
        Attention(queries=1, keys=197, size=64, value_size=64, batch=2),
        Attention(queries=2, keys=17, size=7, value_size=80, batch=5),
        Attention(queries=17, keys=2, size=80, value_size=7, batch=3),
        Attention(queries=53, keys=70, size=64, value_size=64),
    ]
    for number, mask in enumerate(MASKS):
        queries, kind = (3, 19)[number % 2], ("f32", "i1", "f16")[number % 3]
        axes = [ORDERS[(number + i) % 4] for i in range(4)]
        masked = Attention(batch=2, queries=queries, mask=mask, mask_type=kind, axes=axes)
        found.append(replace(masked, keys=16, key_heads=1 + number % 2))
    grouped = Attention(queries=2, heads=6, key_heads=3, size=9, softcap=1.5, offset=15)
    return [*found, grouped, replace(grouped, queries=20, offset=-3, element="f16")]


def for_shaders(cases: Sequence[Attention]) -> list[Attention]:
    """With no more types than the baseline of GPUs stores: f32, and bits in whole words."""
    wide = [replace(case, element="f32", mask_type=SHADERS[case.mask_type]) for case in cases]
    return [
        replace(case, mask_type="f32") if case.mask and math.prod(case.mask_shape) % 4 else case
        for case in wide
    ]


def random_attention(rng: np.random.Generator) -> Attention:
    """Any of all that there is."""

    def one(*values: Any) -> Any:
        return values[rng.integers(len(values))]

    key_heads, queries, keys = one(1, 2, 3), one(1, 2, 5, 17, 33, 50), one(1, 2, 17, 65, 130)
    return Attention(
        batch=one(1, 2, 3),
        heads=key_heads * one(1, 1, 2, 3),
        key_heads=key_heads,
        queries=queries,
        keys=keys,
        size=one(1, 7, 16, 33, 64),
        value_size=one(1, 7, 16, 40, 64),
        mask=one(None, tuple(bool(rng.integers(2)) for _ in range(4))),
        mask_type=one("f32", "f16", "i1"),
        offset=one(None, 0, keys - queries, int(rng.integers(-queries, keys))),
        softcap=one(0.0, 2.0),
        scale=one(0.1, 0.5),
        element=one("f32", "f32", "f16"),
        axes=[ORDERS[rng.integers(4)] for _ in range(4)],
    )
