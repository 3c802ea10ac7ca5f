"""Random networks of a dozen steps: sums, products, concatenations, cuts, shared layers, gates."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from .cases import Case
from .graph_steps import CHANGES, JOINS, Change, Concat, Gate, Join, Program, Step
from .normalizations import norm_of_planes
from .random_layers import CONVOLUTIONS, SCHEMES, Generator, fill, output_size, pick, tensor

ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.Hardswish, nn.SiLU, nn.GELU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.ELU,
    nn.Identity,
)  # fmt: skip
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
LAYER_SCHEMES = SCHEMES[:-2]
# By the number of dimensions; the code of depthwise kernels grows with their taps.
KERNELS = {1: (1, 1, 3, 3, 5, 7), 2: (1, 1, 3, 3, 3, 5), 3: (1, 1, 1, 3, 3)}
MOST_CHANNELS = 40
MOST_ELEMENTS = 40_000


class Writer:
    """Adds random steps that fit the shapes of the values so far."""

    def __init__(self, rng: Generator) -> None:
        self.rng = rng
        self.rank = pick(rng, (1, 2, 2, 2, 3))
        images, channels = pick(rng, (1, 1, 1, 1, 2, 3)), pick(rng, (1, 3, 4, 7, 16))
        spatial = [
            pick(rng, {1: (40, 65), 2: (7, 13, 18), 3: (4, 7)}[self.rank]) for _ in range(self.rank)
        ]
        self.shapes: list[tuple[int, ...]] = [(images, channels, *spatial)]
        self.steps: list[Step] = []

    def add(self, module: nn.Module, *reads: int) -> None:
        """One step; its shape comes from running it. None that has become too large or empty."""
        with torch.no_grad():
            result = module.eval()(*[torch.zeros(self.shapes[number]) for number in reads])
        if 0 < result.numel() <= MOST_ELEMENTS and result.shape[1] <= MOST_CHANNELS:
            self.steps.append((module, reads))
            self.shapes.append(tuple(result.shape))

    def recent(self) -> int:
        """The number of a value: one that nobody has read yet, or rather a late one."""
        unread = self.unread()
        if unread and pick(self.rng, (True, False)):
            return pick(self.rng, unread)
        return max(0, len(self.shapes) - 1 - int(self.rng.geometric(0.6) - 1))

    def unread(self) -> list[int]:
        """Numbers of the values that no step reads."""
        read = {number for _, reads in self.steps for number in reads}
        return [number for number in range(len(self.shapes)) if number not in read]

    def alike(self, number: int, free: int = 1) -> list[int]:
        """Values of the shape of one of them, in all but the channels if `free` is 2."""
        shape = self.shapes[number]
        return [
            other
            for other, known in enumerate(self.shapes)
            if len(known) == len(shape) and known[:1] + known[free:] == shape[:1] + shape[free:]
        ]

    def pruned(self, layer: Any) -> nn.Module:
        """A layer with weights of any scheme; hardly any would hide all that comes before it."""
        fill(layer, pick(self.rng, LAYER_SCHEMES), self.rng)
        kept = (layer.weight != 0).flatten(1).any(1).float().mean()
        return layer if kept > 0.4 else fill(layer, "dense", self.rng)

    def convolution(self) -> None:
        """Any convolution."""
        rng, number = self.rng, self.recent()
        channels, spatial = self.shapes[number][1], self.shapes[number][2:]
        kernel = [pick(rng, KERNELS[self.rank]) for _ in spatial]
        stride = [pick(rng, (1, 1, 1, 1, 2, 3)) for _ in spatial]
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
        self.add(self.pruned(layer), number)

    def same_shape(self) -> None:
        """A convolution, often depthwise, or a pooling, which keeps the shape."""
        rng, number = self.rng, self.recent()
        channels, size = self.shapes[number][1], pick(rng, (1, 3, 3))
        if pick(rng, range(4)) == 0 and min(self.shapes[number][2:]) >= 3:
            kind = pick(rng, ("MaxPool", "AvgPool"))
            self.add(getattr(nn, f"{kind}{self.rank}d")(3, 1, 1), number)
            return
        groups = channels if pick(rng, (0, 0, 1)) else 1
        layer = CONVOLUTIONS[self.rank - 1](
            channels, channels, size, padding=size // 2, groups=groups
        )
        self.add(self.pruned(layer), number)

    def residual(self) -> None:
        """What keeps a shape, joined with what it has read."""
        before = len(self.steps)
        self.same_shape()
        if len(self.steps) > before:
            (read,) = self.steps[-1][1]
            self.add(Join(pick(self.rng, tuple(JOINS))), len(self.shapes) - 1, read)

    def again(self) -> None:
        """A layer that is there, on another value."""
        rng, layers = self.rng, [step for step in self.steps if hasattr(step[0], "weight")]
        if layers:
            module, (read,) = pick(rng, layers)
            self.add(module, pick(rng, self.alike(read)))

    def transposed(self) -> None:
        """A transposed convolution that doubles all sizes."""
        number = self.recent()
        kind = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[self.rank - 1]
        layer = kind(self.shapes[number][1], pick(self.rng, (1, 4, 8)), 4, 2, 1)
        self.add(fill(layer, "dense", self.rng), number)

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

    def norm_of_planes(self) -> None:
        """By statistics of each image; those of one pixel would be all zero."""
        number = self.recent()
        channels = self.shapes[number][1]
        groups = pick(self.rng, [n for n in (0, 1, 2, 4) if n == 0 or channels % n == 0])
        if math.prod(self.shapes[number][2:]) > 1:
            self.add(norm_of_planes(self.rank, channels, groups, self.rng), number)

    def join(self) -> None:
        """Two values of one shape."""
        number = self.recent()
        self.add(Join(pick(self.rng, tuple(JOINS))), number, pick(self.rng, self.alike(number)))

    def concat(self) -> None:
        """Two to four values, rather such as nobody has read, often with a sum or product."""
        if pick(self.rng, (True, False)):
            self.residual()
        number = len(self.shapes) - 1
        fitting = self.alike(number, free=2)
        unread = [other for other in self.unread() if other in fitting and other != number]
        others = [
            pick(self.rng, unread if unread and pick(self.rng, (True, False)) else fitting)
            for _ in range(pick(self.rng, (1, 1, 2, 3)))
        ]
        reads = [number, *others]
        self.add(Concat(), *(reads[place] for place in self.rng.permutation(len(reads))))

    def change(self) -> None:
        """Channels or columns cut, reordered, added."""
        number, kind = self.recent(), pick(self.rng, tuple(CHANGES))
        channels, *spatial = self.shapes[number][1:]
        square = self.rank > 1 and spatial[-1] == spatial[-2]
        if channels > 1 and spatial[-1] > 4 and (square or kind != "swapped sizes"):
            self.add(Change(kind), number)

    def pool(self) -> None:
        number, rng = self.recent(), self.rng
        if min(self.shapes[number][2:]) < 3:
            return
        kind, size = pick(rng, ("MaxPool", "AvgPool")), pick(rng, (2, 3))
        pool = getattr(nn, f"{kind}{self.rank}d")
        stride, ceil = pick(rng, (1, 2)), pick(rng, (True, False))
        self.add(pool(size, stride, size // 2, ceil_mode=ceil), number)

    def gate(self) -> None:
        number = self.recent()
        channels = self.shapes[number][1]
        layer = CONVOLUTIONS[self.rank - 1](channels, channels, 1)
        self.add(Gate(self.pruned(layer)), number)


def random_network(rng: Generator, length: int = 8) -> Case:
    """A network whose outputs are the values that nobody reads, and any other one."""
    writer = Writer(rng)
    kinds = (
        *3 * [writer.convolution], *4 * [writer.residual], *4 * [writer.concat],
        *2 * [writer.join], *2 * [writer.activation], *2 * [writer.change], writer.same_shape,
        writer.batch_norm, writer.norm_of_planes, writer.again, writer.pool, writer.gate,
        writer.transposed,
    )  # fmt: skip
    writer.convolution()
    while len(writer.steps) < length:
        pick(rng, kinds)()
    steps, count = writer.steps, len(writer.shapes)
    outputs = [*writer.unread(), int(rng.integers(1, count))]
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
    layers += [fill(nn.Linear(inputs, 20), pick(rng, LAYER_SCHEMES), rng), pick(rng, ACTIVATIONS)()]
    layers += [fill(nn.Linear(20, classes), pick(rng, LAYER_SCHEMES), rng)]
    name = f"head on {images}x{channels}x{size}x{size}: {layers}"
    return Case(name, nn.Sequential(*layers), (tensor(rng, images, channels, size, size),))
