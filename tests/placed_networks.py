"""Networks to cut into stages: what goes from one device to another is of many kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from small_networks import Block, Function
from torch import Tensor, nn
from torch._higher_order_ops.while_loop import while_loop

# A network, its inputs, and layers for the second device.
Placed = tuple[nn.Module, tuple[Tensor, ...], list[str]]


def conv(inputs: int, outputs: int, kernel: int = 3) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)


def branches() -> Placed:
    """Two branches from a stem, one with a residual, joined by a head; two results."""

    def forward(self: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem(x).relu()
        left, right = self.left(x), self.right(x) + x
        return self.head(torch.cat([left, right], 1)), self.boxes(right).sigmoid()

    left, right = (nn.Sequential(conv(8, 8), nn.ReLU(), conv(8, 8)) for _ in range(2))
    members = {"stem": conv(3, 8), "left": left, "right": right}
    network = Function(forward, **members, head=conv(16, 5, 1), boxes=conv(8, 4))
    return network, (torch.randn(2, 3, 11, 7),), ["left.*"]


def residuals() -> Placed:
    """Every second convolution elsewhere: a sum reads what both devices have."""
    network = nn.Sequential(conv(3, 8), Block(8, 8), Block(8, 12, 2)).eval()
    return network, (torch.randn(1, 3, 9, 13),), ["*.conv2", "2.downsample.0"]


def odd_results() -> Placed:
    """An input, a constant, whole numbers, a reshape, and the same tensor twice are results."""

    def forward(self: Any, x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
        a = self.first(x)
        b = self.second(a.relu() + y)
        flat = b.flatten(1)
        return y, a, b.argmax(1), flat, self.kept * 2, flat, self.third(b).mean((2, 3))

    members = {"first": conv(2, 6), "second": conv(6, 7), "third": conv(7, 3)}
    network = Function(forward, **members, kept=torch.arange(5.0))
    return network, (torch.randn(1, 2, 5, 9), torch.randn(1, 6, 5, 9)), ["second"]


def masks() -> Placed:
    """Booleans, whole numbers and a single number go from device to device."""

    def forward(self: Any, x: Tensor) -> Tensor:
        a = self.first(x)
        where, best, most = a > 0, a.argmax(1, keepdim=True), a.amax()
        b = self.second(a)
        return torch.where(where, b, best.float()) / most + self.third(where.float())

    members = {"first": conv(3, 4), "second": conv(4, 4), "third": conv(4, 4)}
    return Function(forward, **members), (torch.randn(1, 3, 6, 5),), ["second"]


def pruned() -> Placed:
    """Filters of zeros, with and without a bias, whose channels layers elsewhere read."""

    def forward(self: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem(x).relu()
        both = torch.cat([self.left(x), self.right(x)], 1)
        return self.head(both + self.shortcut(x)), self.boxes(both[:, 5:]).mean((2, 3))

    members = {"stem": conv(3, 16), "left": conv(16, 7), "right": conv(16, 5)}
    members |= {"shortcut": conv(16, 12, 1), "head": conv(12, 6), "boxes": conv(7, 3)}
    network = Function(forward, **members)
    with torch.no_grad():
        for number, layer in enumerate(members.values()):
            layer.weight[number % 2 :: 2] = 0
            layer.bias[::4] = 0
        network.head.weight[:, 3] = 0
    return network, (torch.randn(1, 3, 9, 11),), ["left", "head"]


def odd_booleans() -> Placed:
    """Booleans of an odd number between two layers, which some shaders cannot store."""

    def forward(self: Any, x: Tensor) -> Tensor:
        a = self.first(x)
        b = self.third(self.second(a))
        return torch.where(a > 0, b, 0.0)

    members = {name: nn.Linear(5, 5) for name in ("first", "second", "third")}
    return Function(forward, **members), (torch.randn(3, 5),), []


def attention() -> Placed:
    """The attention of a transformer's layer here, its products there."""
    layer = nn.TransformerEncoderLayer(24, 3, 40, batch_first=True, dropout=0).eval()
    return layer, (torch.randn(2, 7, 24),), ["linear*"]


def recurrent() -> Placed:
    """A convolution's result as a sequence for a recurrent layer, and that in a product."""

    def forward(self: Any, x: Tensor) -> Tensor:
        steps = self.conv(x).flatten(2).transpose(1, 2)
        return self.last(self.gru(steps)[0][:, -1])

    members = {"conv": conv(1, 6), "gru": nn.GRU(6, 10, batch_first=True)}
    return Function(forward, **members, last=nn.Linear(10, 3)), (torch.randn(3, 1, 4, 3),), ["gru"]


def loop() -> Placed:
    """A loop with a layer inside, between two layers elsewhere."""

    def forward(self: Any, x: Tensor) -> Tensor:
        begin = self.first(x), torch.zeros((), dtype=torch.int64)
        h, _ = while_loop(lambda _, i: i < 3, lambda h, i: (self.inner(h).tanh(), i + 1), begin)
        return self.last(h)

    members = {"first": nn.Linear(5, 8), "inner": nn.Linear(8, 8), "last": nn.Linear(8, 2)}
    return Function(forward, **members), (torch.randn(3, 5),), ["first", "last"]


def called_twice() -> Placed:
    """One layer computes twice, with the other device between."""

    def forward(self: Any, x: Tensor) -> Tensor:
        return self.twice(self.other(self.twice(x).relu()).relu())

    return (
        Function(forward, twice=conv(4, 4), other=conv(4, 4)),
        (torch.randn(1, 4, 8, 8),),
        ["other"],
    )


PLACED: dict[str, Callable[[], Placed]] = {
    make.__name__: make
    for make in (
        branches, residuals, odd_results, masks, pruned, attention, recurrent, loop, called_twice
    )
}  # fmt: skip
