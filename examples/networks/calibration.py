"""Networks whose layers all depend on their inputs, though no data trained them.

A deep network with PyTorch's initial weights hardly depends on its input, and two that agree on it
prove nothing. So weights are random, but calibrated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional

Example = tuple[nn.Module, tuple[torch.Tensor]]

_CALIBRATION_INPUTS = 4


def calibrated(build: Callable[[], nn.Module], shape: Sequence[int]) -> Example:
    """A network in eval mode and an input for it, ``(module, (x,))``, the same ones every time.

    Args:
        shape: of an input, without the batch: channels, then one to three sizes.
    """
    with _fixed_seed():
        model = build().eval().requires_grad_(False)
        calibrate(model, inputs(_CALIBRATION_INPUTS, shape, seed=1))
    return model, (inputs(1, shape),)


def inputs(count: int, shape: Sequence[int], seed: int = 0) -> torch.Tensor:
    """Random [count, *shape] that differ in coarse shapes, as photographs, films and sounds do.

    `shape` is that of one image, clip or sound: channels, then one to three sizes.
    """
    generator = torch.Generator().manual_seed(seed)
    channels, *sizes = shape
    coarse = torch.randn(count, channels, *[4] * len(sizes), generator=generator)
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[len(sizes)]
    smooth = functional.interpolate(coarse, size=tuple(sizes), mode=mode)
    return smooth + 0.3 * torch.randn(count, *shape, generator=generator)


@torch.no_grad()
def calibrate(model: nn.Module, inputs: torch.Tensor) -> None:
    """Make every layer of `model` depend on its input: centred, spread one, over `inputs`.

    Batch-norm gets the statistics it would have learned, and a scale and shift away from one and
    zero, the same ones every time; other layers are scaled, and centred where they have a bias.
    `inputs` must hold several different inputs.
    """

    def adapt(
        module: nn.Module, arguments: tuple[torch.Tensor], output: torch.Tensor
    ) -> torch.Tensor:
        x = arguments[0]
        other_axes = [axis for axis in range(output.ndim) if axis != 1]
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean = x.mean(other_axes)
            module.running_var = x.var(other_axes) + 1e-3
            module.weight.uniform_(0.5, 1.5)
            module.bias.normal_(0, 0.2)
        else:
            assert isinstance(module.weight, nn.Parameter)
            spread = output.std()
            if isinstance(module.bias, nn.Parameter):
                module.bias -= output.mean(other_axes)
                spread = (output - output.mean(other_axes, keepdim=True)).std()
                module.bias /= spread
            module.weight /= spread
        return module.forward(x)

    kinds = (nn.modules.conv._ConvNd, nn.Linear, nn.modules.batchnorm._BatchNorm)
    hooks = [
        module.register_forward_hook(adapt)
        for module in model.modules()
        if isinstance(module, kinds)
    ]
    with _fixed_seed():
        model(inputs)
    for hook in hooks:
        hook.remove()


@contextmanager
def _fixed_seed() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
