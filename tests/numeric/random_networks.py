"""Random networks of a dozen layers: residual adds, concatenations, gates, activations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from .cases import Case
from .random_layers import CONVOLUTIONS, SCHEMES, Generator, fill, output_size, pick, tensor

ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.Hardswish, nn.SiLU, nn.GELU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.ELU,
    nn.Identity,
)  # fmt: skip
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
Step = tuple[nn.Module, tuple[int, ...]]


class Program(nn.Module):
    """Steps one after the other; each reads values by their numbers and adds one."""

    def __init__(self, steps: Sequence[Step], outputs: Sequence[int]) -> None:
        super().__init__()
        self.steps = nn.ModuleList(module for module, _ in steps)
        self.reads = [reads for _, reads in steps]
        self.outputs = list(outputs)

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        values = list(inputs)
        for step, reads in zip(self.steps, self.reads, strict=True):
            values.append(step(*[values[number] for number in reads]))
        return tuple(values[number] for number in self.outputs)


class Join(nn.Module):
    """Two values of one shape as one."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        if self.kind == "cat":
            return torch.cat([a, b], dim=1)
        if self.kind == "maximum":
            return torch.maximum(a, b)
        return torch.relu(a + b) if self.kind == "add relu" else a * 0.5 + b


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, convolution: nn.Module) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        spatial = list(range(2, x.ndim))
        return x * torch.sigmoid(self.convolution(x.mean(spatial, keepdim=True)))


class Writer:
    """Adds random steps that fit the shapes of the values so far."""

    def __init__(self, rng: Generator) -> None:
        self.rng = rng
        self.rank = pick(rng, (1, 2, 2, 2, 3))
        images, channels = pick(rng, (1, 1, 2, 3)), pick(rng, (1, 3, 4, 7, 16))
        spatial = [
            pick(rng, {1: (40, 65), 2: (7, 13, 18), 3: (4, 7)}[self.rank]) for _ in range(self.rank)
        ]
        self.shapes: list[tuple[int, ...]] = [(images, channels, *spatial)]
        self.steps: list[Step] = []

    def add(self, module: nn.Module, *reads: int) -> None:
        """One step; its shape comes from running it."""
        self.steps.append((module.eval(), reads))
        with torch.no_grad():
            result = module(*[torch.zeros(self.shapes[number]) for number in reads])
        self.shapes.append(tuple(result.shape))

    def recent(self) -> int:
        """The number of a value, rather a late one."""
        return max(0, len(self.shapes) - 1 - int(self.rng.geometric(0.6) - 1))

    def convolution(self) -> None:
        rng, number = self.rng, self.recent()
        channels, spatial = self.shapes[number][1], self.shapes[number][2:]
        kernel = [pick(rng, (1, 1, 3, 3, 3, 5, 7)) for _ in spatial]
        stride = [pick(rng, (1, 1, 1, 2, 3)) for _ in spatial]
        dilation = [pick(rng, (1, 1, 1, 2)) for _ in spatial]
        valid = pick(rng, (False, False, True))
        padding = [0 if valid else d * (k - 1) // 2 for d, k in zip(dilation, kernel, strict=True)]
        sizes = map(output_size, spatial, kernel, stride, dilation, padding, padding)
        if min(sizes) < 1:
            return
        groups, filters = 1, pick(rng, (1, 3, 7, 8, 13, 16, 24))
        if channels > 1 and pick(rng, (0, 0, 1)):
            groups = filters = channels
        layer = CONVOLUTIONS[self.rank - 1](
            channels, filters, kernel, stride, padding, dilation, groups, pick(rng, (True, False))
        )
        self.add(fill(layer, pick(rng, SCHEMES[:-2]), rng), number)

    def activation(self) -> None:
        self.add(pick(self.rng, ACTIVATIONS)(), len(self.shapes) - 1)

    def batch_norm(self) -> None:
        number = self.recent()
        norm: Any = BATCH_NORMS[self.rank - 1](self.shapes[number][1])
        with torch.no_grad():
            norm.running_mean.copy_(tensor(self.rng, norm.num_features))
            norm.running_var.copy_(tensor(self.rng, norm.num_features).square() + 0.5)
            norm.weight.copy_(tensor(self.rng, norm.num_features))
            norm.bias.copy_(tensor(self.rng, norm.num_features))
        self.add(norm, number)

    def join(self) -> None:
        number, kind = self.recent(), pick(self.rng, ("add", "add relu", "maximum", "cat"))
        free = 2 if kind == "cat" else 1  # a concatenation joins different channels
        shape = self.shapes[number]
        fitting = [
            other
            for other, known in enumerate(self.shapes)
            if known[:1] + known[free:] == shape[:1] + shape[free:]
        ]
        other = pick(self.rng, fitting)
        if kind != "cat" or shape[1] + self.shapes[other][1] < 40:
            self.add(Join(kind), number, other)

    def pool(self) -> None:
        number, rng = self.recent(), self.rng
        if min(self.shapes[number][2:]) < 3:
            return
        kind = pick(rng, ("MaxPool", "AvgPool"))
        self.add(getattr(nn, f"{kind}{self.rank}d")(3, stride=pick(rng, (1, 2)), padding=1), number)

    def gate(self) -> None:
        number = self.recent()
        channels = self.shapes[number][1]
        layer = CONVOLUTIONS[self.rank - 1](channels, channels, 1)
        self.add(Gate(fill(layer, pick(self.rng, SCHEMES[:-2]), self.rng)), number)

    def upsampling(self) -> None:
        if self.rank == 2 and max(self.shapes[-1]) < 20:
            self.add(nn.Upsample(scale_factor=2), len(self.shapes) - 1)


def random_network(rng: Generator) -> Case:
    """A network of about ten steps, whose outputs are its last value and two others."""
    writer = Writer(rng)
    kinds = (
        *4 * [writer.convolution], *2 * [writer.activation], writer.batch_norm, *2 * [writer.join],
        writer.pool, writer.gate, writer.upsampling,
    )  # fmt: skip
    writer.convolution()
    while len(writer.steps) < 10:
        pick(rng, kinds)()
    steps, count = writer.steps, len(writer.shapes)
    outputs = [count - 1, *map(int, rng.integers(1, count, 2))]
    described = " | ".join(f"{reads} {module}" for module, reads in steps)
    name = f"network of {writer.shapes[0]}: {described} -> {outputs}"
    return Case(" ".join(name.split()), Program(steps, outputs), (tensor(rng, *writer.shapes[0]),))


def random_head(rng: Generator) -> Case:
    """A convolution, global pooling or flattening, and linear layers."""
    images, channels, size = pick(rng, (1, 2, 3)), pick(rng, (1, 3, 8)), pick(rng, (1, 2, 5, 9))
    filters, classes = pick(rng, (3, 16, 17)), pick(rng, (1, 10, 33))
    layers: list[nn.Module] = [
        fill(nn.Conv2d(channels, filters, 3, padding=1), "dense", rng),
        nn.ReLU(),
    ]
    inputs = filters
    if pick(rng, (True, False)):
        layers += [pick(rng, (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d))(1), nn.Flatten()]
    else:
        layers += [nn.Flatten()]
        inputs *= size * size
    schemes = SCHEMES[:-2]
    layers += [fill(nn.Linear(inputs, 20), pick(rng, schemes), rng), pick(rng, ACTIVATIONS)()]
    layers += [fill(nn.Linear(20, classes), pick(rng, schemes), rng)]
    name = f"head on {images}x{channels}x{size}x{size}: {layers}"
    return Case(name, nn.Sequential(*layers), (tensor(rng, images, channels, size, size),))
