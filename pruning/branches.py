"""Structural reparameterisation: convolutions that train as several branches and run as one.

    conv3x3 - norm    -->    conv3x3 - norm  +  conv1x1 - norm  +  norm    -->    conv3x3
                                       while it trains                     afterwards

More branches train better, and cost nothing once merged, as all of them are linear: RepVGG
(https://arxiv.org/abs/2101.03697).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

NORMS = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


class Branches(nn.Module):
    """A convolution, the same at its centre alone, and the input itself, each normalised; the sum.

    The input itself takes part where shapes agree: as many filters as channels, and stride 1.

    Args:
        conv: with padding by zeros.
        norm: the batch-norm behind it; None where it has none.
    """

    def __init__(self, conv: nn.Module, norm: nn.Module | None = None) -> None:
        super().__init__()
        filters, channels = conv.out_channels, conv.in_channels
        like = {"device": conv.weight.device, "dtype": conv.weight.dtype}
        self.main = conv
        self.main_norm = norm or nn.Identity()
        self.pointwise = type(conv)(
            channels, filters, 1, conv.stride, groups=conv.groups, bias=False, **like
        )
        make = NORMS[len(conv.kernel_size)]
        self.pointwise_norm = _silent(make(filters, **like))
        same = filters == channels and all(step == 1 for step in conv.stride)
        self.identity_norm = _silent(make(channels, **like)) if same else None

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.main_norm(self.main(x))
        x = functional.pad(x, self._margins())
        y = y + self.pointwise_norm(self.pointwise(x))
        return y if self.identity_norm is None else y + self.identity_norm(x)

    def merged(self) -> nn.Module:
        """One convolution that computes what all branches do in eval mode."""
        main = self.main
        kernel, bias = _folded(main.weight, main.bias, self.main_norm)
        centre = tuple(size // 2 for size in main.kernel_size)
        point, shift = _folded(self.pointwise.weight, None, self.pointwise_norm)
        kernel[(..., *centre)] += point.flatten(2)[..., 0]
        bias += shift
        if self.identity_norm is not None:
            identity, shift = _folded(_identity(main), None, self.identity_norm)
            kernel[(..., *centre)] += identity.flatten(2)[..., 0]
            bias += shift
        merged = type(main)(
            main.in_channels,
            main.out_channels,
            main.kernel_size,
            main.stride,
            main.padding,
            main.dilation,
            main.groups,
            device=kernel.device,
            dtype=kernel.dtype,
        )
        merged.weight.data.copy_(kernel)
        merged.bias.data.copy_(bias)
        return merged.train(self.training)

    def _margins(self) -> list[int]:
        """Zeros around the input, or what is cut off it, so that 1x1 reads centres of kernels."""
        margins = []
        sizes = zip(self.main.kernel_size, self.main.padding, self.main.dilation, strict=True)
        for size, padding, dilation in reversed(list(sizes)):
            before = dilation * (size // 2)
            margins += [padding - before, padding - (dilation * (size - 1) - before)]
        return margins


def _silent(norm: nn.Module) -> nn.Module:
    """A norm that gives 0 until it is trained."""
    nn.init.zeros_(norm.weight)
    return norm


def _identity(conv: nn.Module) -> Tensor:
    """Kernels of one tap ``[C, C / groups, 1, ...]`` that pass each channel on."""
    channels = conv.out_channels
    of_group = channels // conv.groups
    kernel = torch.zeros_like(conv.weight).flatten(2)[..., :1].clone()
    index = torch.arange(channels, device=kernel.device)
    kernel[index, index % of_group] = 1
    return kernel.reshape(channels, of_group, *[1] * len(conv.kernel_size))


def _folded(weight: Tensor, bias: Tensor | None, norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution and the norm behind it."""
    weight = weight.detach().clone()
    bias = weight.new_zeros(len(weight)) if bias is None else bias.detach().clone()
    if isinstance(norm, nn.Identity):
        return weight, bias
    factor = (norm.running_var + norm.eps).rsqrt()
    if norm.weight is not None:
        factor = factor * norm.weight.detach()
    bias = (bias - norm.running_mean) * factor
    if norm.bias is not None:
        bias = bias + norm.bias.detach()
    return weight * factor.reshape(-1, *[1] * (weight.dim() - 1)), bias
