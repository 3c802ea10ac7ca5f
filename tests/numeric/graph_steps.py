"""What random networks are made of besides layers: modules that join, cut and reorder values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.nn import functional

Step = tuple[nn.Module, tuple[int, ...]]
Tensors = tuple[torch.Tensor, ...]

# Of two values of one shape. Products are of one value and a bounded one, lest results explode.
JOINS: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "add": torch.add,
    "add relu": lambda a, b: torch.relu(a + b),
    "relu add": lambda a, b: a + torch.relu(b),
    "mean": lambda a, b: a * 0.5 + b * 0.5,
    "subtract": torch.sub,
    "multiply": lambda a, b: a * torch.tanh(b),
    "gate": lambda a, b: a * torch.sigmoid(b),
    "gate and add": lambda a, b: a * torch.sigmoid(b) + b,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "where": lambda a, b: torch.where(a > b, a, 0.5 * b),
}

# Of one value, whose shape they may change.
CHANGES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "first half": lambda x: x.chunk(2, 1)[0],
    "second half": lambda x: x.chunk(2, 1)[-1],
    "all but the first channel": lambda x: x[:, 1:],
    "every other channel": lambda x: x[:, ::2],
    "channels backwards": lambda x: x.flip(1),
    "shuffled by 2": lambda x: shuffled(x, 2),
    "shuffled by 3": lambda x: shuffled(x, 3),
    "halves swapped": lambda x: torch.cat(x.chunk(2, 1)[::-1], 1),
    "without the first column": lambda x: x[..., 1:],
    "without the last columns": lambda x: x[..., :-2],
    "every other column": lambda x: x[..., ::2],
    "padded": lambda x: functional.pad(x, (1, 2)),
    "negatively padded": lambda x: functional.pad(x, (2, -1)),
    "swapped sizes": lambda x: x.transpose(-1, -2),
    # By half: what is left of equal channels would be rounding errors alone.
    "half centred": lambda x: x - x.mean(1, keepdim=True) / 2,
    "scaled by its mean": lambda x: x * torch.sigmoid(x.mean(tuple(range(2, x.ndim)), True)),
    "broadcast channel": lambda x: x + x[:, :1],
    "doubled": lambda x: functional.interpolate(x, scale_factor=2.0),
    "reflected": lambda x: functional.pad(x, (2, 1) + (0, 0) * (x.ndim - 3), "reflect"),
    "replicated": lambda x: functional.pad(x, (0, 3) * (x.ndim - 2), "replicate"),
    "doubled with itself": lambda x: torch.cat([x, x], 1),
    "with its bounded self": lambda x: x * torch.tanh(x),
}


def shuffled(x: torch.Tensor, groups: int) -> torch.Tensor:
    """Channels of groups one after the other in turn, as ShuffleNet does."""
    if x.shape[1] % groups:
        return x
    return x.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)


class Join(nn.Module):
    """Two values of one shape as one."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return JOINS[self.kind](a, b)

    def extra_repr(self) -> str:
        return self.kind


class Change(nn.Module):
    """One of `CHANGES`."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return CHANGES[self.kind](x)

    def extra_repr(self) -> str:
        return self.kind


class Concat(nn.Module):
    """Channels behind one another."""

    def forward(self, *values: torch.Tensor) -> torch.Tensor:
        return torch.cat(values, 1)


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, convolution: nn.Module) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        spatial = list(range(2, x.ndim))
        return x * torch.sigmoid(self.convolution(x.mean(spatial, keepdim=True)))


class Program(nn.Module):
    """Steps one after the other; each reads values by their numbers and adds one."""

    def __init__(self, steps: Sequence[Step], outputs: Sequence[int]) -> None:
        super().__init__()
        self.steps = nn.ModuleList(module for module, _ in steps)
        self.reads = [reads for _, reads in steps]
        self.outputs = list(outputs)

    def forward(self, *inputs: torch.Tensor) -> Tensors:
        values = list(inputs)
        for step, reads in zip(self.steps, self.reads, strict=True):
            values.append(step(*[values[number] for number in reads]))
        return tuple(values[number] for number in self.outputs)
