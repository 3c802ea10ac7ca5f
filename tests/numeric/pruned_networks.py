"""Small networks of each kind that trimming goes through, with filters and channels of zeros."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from small_networks import Function, ResNet, randomize_batch_norm
from torch import nn
from torch.nn import functional

from .cases import Case
from .random_layers import Generator, fill, pick, tensor


def prune_filters(model: nn.Module, rng: Generator, share: float = 0.5) -> nn.Module:
    """Set filters of all layers to zero, and the biases of half of these; batch-norm stays."""
    for layer in model.modules():
        if isinstance(layer, nn.modules.conv._ConvTransposeNd):
            fill(layer, "dense", rng)  # it has filters in the other dimension
        elif isinstance(layer, (nn.modules.conv._ConvNd, nn.Linear)):
            fill(layer, "dense", rng)
            gone = torch.from_numpy(rng.random(layer.weight.shape[0]) < share)
            silent = gone & torch.from_numpy(rng.random(layer.weight.shape[0]) < 0.5)
            with torch.no_grad():
                layer.weight[gone] = 0
                if layer.bias is not None:
                    layer.bias[silent] = 0
    return model.eval()


def prune_channels(model: nn.Module, rng: Generator, share: float = 0.4) -> nn.Module:
    """Set input channels of all layers to zero that have several of them."""
    for layer in model.modules():
        if isinstance(layer, (nn.modules.conv._ConvNd, nn.Linear)):
            gone = torch.from_numpy(rng.random(layer.weight.shape[1]) < share)
            if gone.numel() > 3:
                layer.weight.data[:, gone] = 0
    return model.eval()


def residual(rng: Generator) -> Case:
    """Sums, strides, batch-norm with shifts, a pooling and a linear layer."""
    return Case("residual", prune_filters(ResNet(), rng), (tensor(rng, 1, 3, 16, 16),))


def inception(rng: Generator) -> Case:
    """Concatenated branches, one of them a pooling."""

    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.stem(x))
        branches = [self.b1(x), functional.gelu(self.b3(x)), functional.max_pool2d(x, 3, 1, 1)]
        return self.head(functional.relu(torch.cat(branches, 1)))

    model = Function(
        forward,
        stem=nn.Conv2d(3, 9, 3, 2, 1),
        b1=nn.Conv2d(9, 6, 1),
        b3=nn.Conv2d(9, 7, 3, padding=2, dilation=2),
        head=nn.Conv2d(22, 5, 3),
    )
    return Case("inception", prune_filters(model, rng, 0.4), (tensor(rng, 2, 3, 13, 11),))


def mobilenet(rng: Generator) -> Case:
    """Widen, depthwise, narrow, with a shortcut and ReLU6."""

    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        y = functional.relu6(self.bn1(self.widen(x)))
        y = functional.relu6(self.bn2(self.depthwise(y)))
        x = x + self.bn3(self.narrow(y))
        return self.head(functional.hardswish(self.multiplied(x)).mean((2, 3)))

    model = Function(
        forward,
        stem=nn.Conv2d(3, 6, 3, padding=1),
        widen=nn.Conv2d(6, 20, 1, bias=False),
        bn1=nn.BatchNorm2d(20),
        depthwise=nn.Conv2d(20, 20, 3, padding=1, groups=20, bias=False),
        bn2=nn.BatchNorm2d(20),
        narrow=nn.Conv2d(20, 6, 1, bias=False),
        bn3=nn.BatchNorm2d(6),
        multiplied=nn.Conv2d(6, 12, 3, 2, groups=6),
        head=nn.Linear(12, 4),
    )
    return Case(
        "mobilenet",
        prune_filters(randomize_batch_norm(model), rng, 0.4),
        (tensor(rng, 1, 3, 9, 9),),
    )


def super_resolution(rng: Generator) -> Case:
    """Wide activations and a pixel shuffle in the middle, as in WDSR."""

    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        y = self.narrow(functional.relu(self.wide(x)))
        y = functional.pixel_shuffle(self.up(y), 2)
        y = self.last(functional.leaky_relu(y))
        return y + functional.interpolate(self.skip(x), scale_factor=2)

    model = Function(
        forward,
        wide=nn.Conv2d(3, 24, 3, padding=1),
        narrow=nn.Conv2d(24, 8, 1),
        up=nn.Conv2d(8, 4 * 6, 3, padding=1),
        last=nn.Conv2d(6, 3, 3, padding=1),
        skip=nn.Conv2d(3, 3, 1),
    )
    prune_filters(model, rng, 0.3)
    model.up.weight.data[4:12] = 0  # two channels of the shuffled tensor
    model.up.bias.data[4:12] = 0
    return Case("super resolution", model, (tensor(rng, 1, 3, 7, 6),))


def vgg(rng: Generator) -> Case:
    """A flattened activation before linear layers: a channel is several of its inputs."""
    model = nn.Sequential(
        *(nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 10, 3, 2, 1), nn.ReLU()),
        *(nn.MaxPool2d(3, 2, 1), nn.Flatten(), nn.Linear(10 * 9, 14), nn.Tanh(), nn.Linear(14, 5)),
    )
    return Case("vgg", prune_filters(model, rng), (tensor(rng, 3, 3, 11, 12),))


def grouped(rng: Generator) -> Case:
    """Groups that lose different numbers of filters, and one that loses all."""

    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.inner(functional.relu(self.stem(x))))
        return self.head(functional.avg_pool2d(x, 3, 2, 1))

    model = Function(
        forward,
        stem=nn.Conv2d(3, 12, 1),
        inner=nn.Conv2d(12, 18, 3, padding=1, groups=3),
        head=nn.Conv2d(18, 4, 1),
    )
    prune_channels(prune_filters(model, rng, 0.4), rng)
    for layer, places in ((model.stem, slice(4, 8)), (model.inner, slice(6, 12))):
        layer.weight.data[places] = 0
        layer.bias.data[places] = 0
    return Case("grouped", model, (tensor(rng, 2, 3, 8, 9),))


def gated(rng: Generator) -> Case:
    """Squeeze and excitation, a split in two halves, PReLU, a transposed convolution."""

    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        x = self.prelu(self.stem(x))
        x = x * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))
        first, second = x.chunk(2, dim=1)
        x = torch.cat([second, functional.silu(first)], 1)
        return self.head(functional.relu(self.transposed(x)))

    model = Function(
        forward,
        stem=nn.Conv2d(2, 16, 3, padding=1),
        prelu=nn.PReLU(16),
        gate=nn.Conv2d(16, 16, 1),
        transposed=nn.ConvTranspose2d(16, 6, 4, 2, 1),
        head=nn.Conv2d(6, 3, 3),
    )
    prune_filters(model, rng)
    model.transposed.weight.data[:, [1, 4]] = 0
    model.transposed.bias.data[[1, 4]] = 0
    return Case("gated", model, (tensor(rng, 1, 2, 6, 7),))


def one_dimensional(rng: Generator) -> Case:
    """1-D convolutions without padding, whose constants go into biases, and an average."""
    model = nn.Sequential(
        *(nn.Conv1d(4, 13, 5), nn.Softplus(), nn.Conv1d(13, 11, 3), nn.Sigmoid()),
        *(nn.AvgPool1d(2), nn.Conv1d(11, 9, 2), nn.ELU(), nn.Conv1d(9, 3, 1)),
    )
    return Case("one-dimensional", prune_filters(model, rng), (tensor(rng, 2, 4, 33),))


def three_dimensional(rng: Generator) -> Case:
    """3-D convolutions with filters and channels gone."""
    model = nn.Sequential(
        *(nn.Conv3d(2, 8, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(8, 7, 3), nn.ReLU()),
        *(nn.Conv3d(7, 4, 1),),
    )
    prune_channels(prune_filters(model, rng), rng)
    return Case("three-dimensional", model, (tensor(rng, 1, 2, 6, 8, 7),))


def transformer(rng: Generator) -> Case:
    """A multilayer perceptron on tokens, whose hidden units are pruned."""

    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        return x + self.narrow(functional.gelu(self.widen(functional.layer_norm(x, (12,)))))

    model = Function(forward, widen=nn.Linear(12, 30), narrow=nn.Linear(30, 12))
    return Case("transformer", prune_filters(model, rng), (tensor(rng, 2, 5, 12),))


def styled(rng: Generator) -> Case:
    """Norms of each image's channels, by which constant ones become zero, and of groups."""
    model = nn.Sequential(
        *(nn.Conv2d(3, 8, 3, padding=1), nn.InstanceNorm2d(8, affine=True), nn.ReLU()),
        *(nn.Conv2d(8, 12, 3), nn.InstanceNorm2d(12), nn.Sigmoid()),
        *(nn.Conv2d(12, 8, 1), nn.GroupNorm(2, 8), nn.Conv2d(8, 5, 3)),
    )
    return Case("styled", prune_filters(model, rng, 0.4), (tensor(rng, 2, 3, 9, 8),))


NETWORKS: tuple[Callable[[Generator], Case], ...] = (
    residual, inception, mobilenet, super_resolution, vgg, grouped, gated, one_dimensional,
    three_dimensional, transformer, styled,
)  # fmt: skip


def pruned_network(rng: Generator) -> Case:
    """One of them."""
    return pick(rng, NETWORKS)(rng)
