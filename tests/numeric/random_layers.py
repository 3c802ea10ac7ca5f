"""Random layers of odd shapes, with zeros in every pattern that a scheme explains and in none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from niwaki.schemes import block_column_row_mask, kernel_group_mask, n_m_mask, pattern_mask

from .cases import Case

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
FILTERS = (1, 2, 3, 5, 7, 8, 13, 16, 17, 24, 33)
CHANNELS = (1, 2, 3, 4, 7, 16)
KERNELS = (1, 1, 2, 3, 3, 3, 5, 7)
SIZES = (1, 2, 3, 5, 8, 13, 16, 17, 35)
SCHEMES = (
    "dense", "blocks of 2", "blocks of 4", "blocks of 8", "blocks of 16", "channel",
    "unstructured", "all zero", "one weight", "patterns for 1", "patterns for 4",
    "shuffled blocks of 4", "shuffled blocks of 8", "rows and columns", "n of m", "kernel groups",
)  # fmt: skip
Generator = np.random.Generator


def pick(rng: Generator, values: Sequence[Any]) -> Any:
    """One of `values`, as a Python value."""
    return values[int(rng.integers(len(values)))]


def keep(shape: tuple[int, ...], scheme: str, rng: Generator) -> NDArray[np.bool_]:
    """Which weights of filters x channels x taps stay."""
    filters, channels, taps = shape
    if scheme == "dense":
        return np.ones(shape, np.bool_)
    if scheme == "unstructured":
        return rng.random(shape) < pick(rng, (0.1, 0.5))
    if scheme == "channel":
        live = np.outer(rng.random(filters) < 0.6, rng.random(channels) < 0.7)
        return np.repeat(live[..., None], taps, axis=2)
    if scheme in ("all zero", "one weight"):
        kept = np.zeros(shape, np.bool_)
        kept[tuple(int(rng.integers(size)) for size in shape)] = scheme == "one weight"
        return kept
    if scheme == "rows and columns":
        return block_column_row_mask(rng.standard_normal(shape), 3, 1.2, 8, pick(rng, (16, 36)))
    if scheme == "n of m":
        return n_m_mask(rng.standard_normal(shape), 1, pick(rng, (4, 8)))
    if scheme == "kernel groups":
        return kernel_group_mask(
            rng.standard_normal(shape), 4, 8, 2, vanilla=pick(rng, (True, False))
        )
    size = int(scheme.split()[-1])
    if scheme.startswith("patterns"):
        library = [rng.permutation(taps)[: -(-taps // 2)].tolist() for _ in range(4)]
        return pattern_mask(rng.standard_normal(shape), library, 3, size)
    blocks = rng.random((-(-filters // size), channels, taps)) < 0.3
    kept = np.repeat(blocks, size, axis=0)[:filters]
    return kept[rng.permutation(filters)] if scheme.startswith("shuffled") else kept


def fill(layer: Any, scheme: str, rng: Generator) -> Any:
    """Give a layer random weights with the zeros of `scheme`, so that its results are about 1."""
    shape = tuple(layer.weight.shape)
    rows = (shape[0], shape[1], int(np.prod(shape[2:])))
    kept = keep(rows, scheme, rng)
    values = rng.standard_normal(rows) * kept / np.sqrt(max(1.0, kept[0].size * kept.mean()))
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(values.reshape(shape)))
        if layer.bias is not None:
            layer.bias.copy_(torch.from_numpy(rng.standard_normal(layer.bias.shape)))
    return layer.eval()


def tensor(rng: Generator, *shape: int) -> torch.Tensor:
    """Values of a normal distribution."""
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))


def output_size(size: int, kernel: int, stride: int, dilation: int, before: int, after: int) -> int:
    """Size of a sliding window's result along one dimension."""
    return (size + before + after - dilation * (kernel - 1) - 1) // stride + 1


def random_convolution(rng: Generator, most_work: int = 3_000_000) -> Case:
    """Any convolution, perhaps after a padding of its own."""
    while True:
        rank = pick(rng, (1, 2, 2, 2, 3))
        groups = pick(rng, (1, 1, 1, 2, 3))
        channels, filters = groups * pick(rng, CHANNELS), groups * pick(rng, FILTERS)
        if pick(rng, range(4)) == 0:  # depthwise
            groups = channels
            filters = channels * pick(rng, (1, 1, 2))
        kernel, stride, dilation, size, before, after = (
            [pick(rng, values) for _ in range(rank)]
            for values in (
                KERNELS,
                (1, 1, 1, 2, 3, 4),
                (1, 1, 1, 2, 3),
                SIZES,
                *2 * [(0, 1, 1, 2, 3, 6)],
            )
        )
        if pick(rng, (0, 0, 1)):
            after = before
        elif pick(rng, (0, 0, 0, 1)):
            kernel, stride, dilation = [kernel[0]] * rank, [1] * rank, [1] * rank
            before = [(kernel[0] - 1) // 2] * rank
            after = [kernel[0] // 2] * rank
        sizes = list(map(output_size, size, kernel, stride, dilation, before, after))
        images = pick(rng, (1, 1, 2, 3))
        work = images * filters * (channels // groups) * int(np.prod(kernel))
        if min(sizes) >= 1 and work * int(np.prod(sizes)) <= most_work:
            break
    scheme, bias = pick(rng, SCHEMES), pick(rng, (True, False))
    arguments: dict[str, Any] = {
        "stride": stride,
        "dilation": dilation,
        "groups": groups,
        "bias": bias,
    }
    if before == after:
        layer: nn.Module = CONVOLUTIONS[rank - 1](
            channels, filters, kernel, padding=before, **arguments
        )
        fill(layer, scheme, rng)
    else:
        layer = CONVOLUTIONS[rank - 1](channels, filters, kernel, **arguments)
        fill(layer, scheme, rng)
        sides = [
            side for pair in zip(reversed(before), reversed(after), strict=True) for side in pair
        ]
        layer = nn.Sequential(Padding(sides), layer)
    name = (
        f"conv {channels}->{filters} of {images}x{join(size)} kernel {join(kernel)}"
        f" stride {join(stride)} dilation {join(dilation)} padding {join(before)}|{join(after)}"
        f" groups {groups}, {scheme}, bias {bias}"
    )
    return Case(name, layer, (tensor(rng, images, channels, *size),))


def random_transposed_convolution(rng: Generator, most_work: int = 3_000_000) -> Case:
    """Any transposed convolution; some crop all that they add, and more."""
    while True:
        rank, groups = pick(rng, (1, 2, 2, 2, 3)), pick(rng, (1, 1, 1, 2, 3))
        channels, filters = groups * pick(rng, CHANNELS), groups * pick(rng, FILTERS)
        kernel, stride, dilation, padding, size = (
            [pick(rng, values) for _ in range(rank)]
            for values in (
                (1, 2, 3, 3, 4, 5),
                (1, 2, 2, 3),
                (1, 1, 1, 2, 3),
                (0, 1, 1, 2, 4),
                SIZES,
            )
        )
        # PyTorch wants less than the stride or the dilation.
        more = [pick(rng, range(max(s, d))) for s, d in zip(stride, dilation, strict=True)]
        settings = zip(size, kernel, stride, dilation, padding, more, strict=True)
        sizes = [s * (n - 1) + d * (k - 1) + 1 + m - 2 * p for n, k, s, d, p, m in settings]
        images = pick(rng, (1, 2, 3))
        work = images * filters * (channels // groups) * int(np.prod(kernel))
        if min(sizes) >= 1 and work * int(np.prod(size)) <= most_work:
            break
    scheme, bias = pick(rng, SCHEMES), pick(rng, (True, False))
    layer = TRANSPOSED[rank - 1](
        channels, filters, kernel, stride, padding, more, groups, bias, dilation
    )
    name = (
        f"transposed conv {channels}->{filters} of {images}x{join(size)} kernel {join(kernel)}"
        f" stride {join(stride)} dilation {join(dilation)} padding {join(padding)}"
        f" output padding {join(more)} groups {groups}, {scheme}, bias {bias}"
    )
    return Case(name, fill(layer, scheme, rng), (tensor(rng, images, channels, *size),))


class Padding(nn.Module):
    """Constant padding; `sides` as torch.nn.functional.pad takes them."""

    def __init__(self, sides: Sequence[int], value: float = 0.0) -> None:
        super().__init__()
        self.sides, self.value = list(sides), value

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.pad(x, self.sides, value=self.value)


def join(numbers: Sequence[int]) -> str:
    """``3x3``."""
    return "x".join(map(str, numbers))


def random_cases(make: Callable[[Generator], Case], seed: int, count: int) -> list[Case]:
    """`count` cases from one seed."""
    rng = np.random.default_rng(seed)
    return [make(rng) for _ in range(count)]


def random_pool(rng: Generator) -> Case:
    """Maximum or average over windows of negative values: padding with zeros would show."""
    while True:
        rank, kind = pick(rng, (1, 2, 2, 3)), pick(rng, ("max", "avg"))
        ceil, counted = pick(rng, (True, False)), pick(rng, (True, False))
        kernel, stride, size = (
            [pick(rng, values) for _ in range(rank)]
            for values in ((1, 2, 3, 3, 4, 5), (1, 2, 2, 3, 4), (*SIZES, 7, 9))
        )
        dilation = [pick(rng, (1, 1, 2, 3)) if kind == "max" else 1 for _ in range(rank)]
        padding = [pick(rng, range(k // 2 + 1)) for k in kernel]
        sizes = list(map(output_size, size, kernel, stride, dilation, padding, padding))
        # PyTorch refuses windows larger than the input in 3-D.
        fits = rank < 3 or kind == "max" or all(k <= s for k, s in zip(kernel, size, strict=True))
        if min(sizes) >= 1 and fits and int(np.prod(size)) < 2000:
            break
    images, channels = pick(rng, (1, 2, 3)), pick(rng, CHANNELS)
    arguments: dict[str, Any] = {"stride": stride, "padding": padding, "ceil_mode": ceil}
    if kind == "max":
        arguments["dilation"] = dilation
    else:
        arguments["count_include_pad"] = counted
    pool = getattr(nn, f"{kind.title()}Pool{rank}d")
    name = (
        f"{kind} pool of {images}x{channels}x{join(size)} kernel {join(kernel)}"
        f" stride {join(stride)} dilation {join(dilation)} padding {join(padding)}"
        f" ceil {ceil} include pad {counted}"
    )
    return Case(name, pool(kernel, **arguments), (-5 - tensor(rng, images, channels, *size).abs(),))


def random_linear(rng: Generator) -> Case:
    """A linear layer on a batch of rows, perhaps with an activation after it."""
    rows, inputs = pick(rng, (1, 2, 3, 4, 5, 7)), pick(rng, (1, 2, 3, 10, 31, 64, 129))
    filters = pick(rng, (*FILTERS, 10, 40, 63, 100, 129))
    scheme, bias = pick(rng, (*SCHEMES, "blocks of 32")), pick(rng, (True, False))
    layer = fill(nn.Linear(inputs, filters, bias=bias), scheme, rng)
    tail = pick(rng, (nn.Identity, nn.ReLU, nn.Hardswish))
    name = f"linear {inputs}->{filters} of {rows} rows, {scheme}, bias {bias}, {tail.__name__}"
    return Case(name, nn.Sequential(layer, tail()), (tensor(rng, rows, inputs),))
