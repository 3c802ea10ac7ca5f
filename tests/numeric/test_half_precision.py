"""What adds or multiplies many values of float16 is as exact as PyTorch's, on all targets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import Function
from torch import nn
from torch.nn import functional as F

import niwaki
from niwaki.runtime.emulate import Emulator
from niwaki.signature import flatten

# Sums of these overflow float16, or stop growing; squares of the first do, too.
ROWS = {"large": (20, 0), "far from 0": (1, 300), "tiny": (1e-4, 0), "ones": (0.1, 1)}

LAYERS: dict[str, nn.Module] = {
    "conv": nn.Conv2d(6, 5, 3),
    "depthwise": nn.Conv2d(6, 6, 3, groups=6),
    "transposed": nn.ConvTranspose2d(6, 5, 2, 2),
    "batch norm": nn.Sequential(nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6)),
    "linear": nn.Linear(512, 7),
}
OF_ROWS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "mean": lambda x: x.mean(1),
    "mean of all": lambda x: x.mean(),
    "sum": lambda x: (x / 8).sum(1),
    "variance": lambda x: x.var(1),
    "deviation": lambda x: x.std(1),
    "norm": lambda x: x.norm(dim=1),
    "third norm": lambda x: torch.linalg.vector_norm(x, 3, dim=1),
    "normalize": lambda x: F.normalize(x, dim=1),
    "cosine similarity": lambda x: F.cosine_similarity(x, x.flip(1), dim=1),
    "rms norm": lambda x: F.rms_norm(x, [512]),
    "rms norm with eps": lambda x: F.rms_norm(x, [512], eps=1e-5),
    "mean of squares": lambda x: x * torch.rsqrt(x.float().pow(2).mean(1, True) + 1e-5).half(),
    "mean of squares in half": lambda x: (x / 8) * torch.rsqrt((x / 8).pow(2).mean(1, True) + 1e-5),
    "layer norm": lambda x: F.layer_norm(x, [512]),
    "softmax": lambda x: x.softmax(1),
    "log softmax": lambda x: x.log_softmax(1),
    "logsumexp": lambda x: x.logsumexp(1),
    "cumulative sum": lambda x: (x / 8).cumsum(1),
    "cumulative product": lambda x: (x / x.abs().amax(1, True) + 0.9).cumprod(1)[:, :40],
    "product": lambda x: (x[:, :8] / x.abs().amax(1, True)).prod(1),
    "product of matrices": lambda x: (x / 64) @ (x / 64).t(),
    "dot product": lambda x: torch.dot(x[0] / 64, x[1] / 64),
}
OF_ROWS |= {
    function.__name__: function
    for function in (
        F.gelu, F.silu, F.mish, F.elu, F.selu, F.celu, F.softplus, F.logsigmoid, F.hardswish,
        F.hardsigmoid, torch.sigmoid, torch.tanh, torch.sin, torch.atan, torch.exp, torch.log1p,
    )
}  # fmt: skip
OF_IMAGES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "global average": lambda x: F.adaptive_avg_pool2d(x, 1),
    "adaptive average": lambda x: F.adaptive_avg_pool2d(x, (3, 5)),
    "average pooling": lambda x: F.avg_pool2d(x, 7, 3, 2),
    "mean over pixels": lambda x: x.mean((2, 3)),
    "power pooling": lambda x: F.lp_pool2d(x.abs(), 2, 3),
    "group norm": lambda x: F.group_norm(x, 2),
    "instance norm": lambda x: F.instance_norm(x),
    "bilinear": lambda x: F.interpolate(x, size=(9, 7), mode="bilinear"),
}


def network() -> nn.Module:
    """All functions of a matrix and an image, and all layers."""
    torch.manual_seed(0)

    def every(layers: nn.Module, x: torch.Tensor, image: torch.Tensor) -> list[torch.Tensor]:
        of_layers = [layers.layers[name](x if name == "linear" else image) for name in LAYERS]
        return [
            *(f(x) for f in OF_ROWS.values()),
            *(f(image) for f in OF_IMAGES.values()),
            *of_layers,
        ]

    return Function(every, layers=nn.ModuleDict(LAYERS)).half().eval()


def inputs(scale: float, shift: float) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    shapes = (4, 512), (1, 6, 40, 30)
    x, image = (torch.randn(shape) * scale + shift for shape in shapes)
    return x.half(), (image / 8).half()


def check(results: list[np.ndarray], arguments: tuple[torch.Tensor, ...], case: str) -> None:
    """Not further off than PyTorch in float16, but for some units of the largest's last place.

    What is infinite or NaN there is so here.
    """
    with torch.no_grad():
        by_pytorch = network()(*arguments)
        in_float32 = network().float()(*[x.float() for x in arguments])
    names = [*OF_ROWS, *OF_IMAGES, *LAYERS]
    for name, result, half, right in zip(names, results, by_pytorch, in_float32, strict=True):
        finite = half.isfinite().numpy()
        np.testing.assert_array_equal(np.isfinite(result), finite, f"{name}, {case}")
        wanted = right.numpy()[finite]
        error = np.abs(result[finite] - wanted).max(initial=0)
        of_pytorch = np.abs(half.numpy()[finite] - wanted).max(initial=0)
        limit = 3 * 2.0**-11 * np.abs(wanted).max(initial=0) + 2.0**-24
        assert error <= of_pytorch + limit, f"{name}, {case}: {error}, PyTorch {of_pytorch}"


def test_as_pytorch(tmp_path: Path) -> None:
    path = tmp_path / "half.niwaki"
    niwaki.compile(network(), inputs(1, 0), output=path)
    loaded = niwaki.load(path)
    for case, (scale, shift) in ROWS.items():
        arguments = inputs(scale, shift)
        results, _ = flatten(loaded(*[x.numpy() for x in arguments]))
        check(results, arguments, case)


@pytest.mark.requires_qemu
def test_on_a_phone(arm64: Emulator, tmp_path: Path) -> None:
    """Its arithmetic in float16 would take the usual epsilon, 1e-5, for 0."""
    path = tmp_path / "half.niwaki"
    niwaki.compile(network(), inputs(1, 0), target="arm64-android", output=path)
    for case, (scale, shift) in ROWS.items():
        arguments = inputs(scale, shift)
        results = arm64.run_bundle(path, [x.numpy() for x in arguments])
        check(list(results), arguments, case)
