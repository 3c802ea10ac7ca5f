"""What a layer multiplies its weights by: rows of its input, one for each output position.

Conv2d(C=2, 3x3) on x[N, 2, H, W]   -->   rows[groups, R, 2 / groups * 9]
Linear(16) on x[N, 5, 16]           -->   rows[1, R, 16]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .batches import evaluating, run_example
from .layers import CONVOLUTIONS, Layer


class InputWatch:
    """Collects rows of the inputs of a layer's modules while it is open, in the order of calls.

    Two watches with generators of the same seed take the same positions.

    Args:
        most: rows of a call, drawn at random.
    """

    def __init__(self, layer: Layer, most: int, generator: torch.Generator) -> None:
        self.rows: list[Tensor] = []
        self._most, self._generator = most, generator
        self._handles = [
            owner.register_forward_pre_hook(self._take, with_kwargs=True) for owner in layer.owners
        ]

    def __enter__(self) -> InputWatch:
        return self

    def __exit__(self, *error: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _take(self, module: nn.Module, inputs: Any, named: Any) -> None:
        x = first_input(inputs, named).detach()
        self.rows.append(input_rows(module, x, self._most, self._generator))


def first_input(inputs: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """What a layer is called with: ``layer(x)``, or ``layer(input=x)`` as all of them call it."""
    return inputs[0] if inputs else named["input"]


def input_rows(module: nn.Module, x: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """At most so many rows ``[groups, R, channels of a group x taps]`` of a module's input."""
    if not isinstance(module, CONVOLUTIONS):
        rows = x.reshape(-1, x.shape[-1])
        return rows[draw(len(rows), most, generator).to(x.device)][None]
    dims = len(module.kernel_size)
    if x.dim() == dims + 1:  # one example without a batch
        x = x[None]
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    x = functional.pad(x, module._reversed_padding_repeated_twice, mode=mode)
    sizes = zip(module.kernel_size, module.stride, module.dilation, strict=True)
    for axis, (size, stride, dilation) in enumerate(sizes):
        x = x.unfold(2 + axis, (size - 1) * dilation + 1, stride)[..., ::dilation]
    # A view [N, C, positions, taps]; the rows that are drawn are all that is copied.
    shape = (x.shape[0], *x.shape[2 : 2 + dims])
    drawn = draw(int(torch.tensor(shape).prod()), most, generator).to(x.device)
    batch, *places = torch.unravel_index(drawn, shape)
    rows = x.movedim(1, dims + 1)[(batch, *places)]  # [R, C, taps]
    return rows.reshape(len(drawn), module.groups, -1).transpose(0, 1)


def draw(count: int, most: int, generator: torch.Generator) -> Tensor:
    """So many different numbers below `count`, or all of them."""
    return torch.randperm(count, generator=generator)[:most]


def watch_calls(
    model: nn.Module,
    layers: Sequence[Layer],
    example: Any,
    see: Callable[[Layer, nn.Module, Any, Any, Any], None],
) -> None:
    """Run the network once, in eval mode, and show each call of a layer's modules.

    Args:
        see: gets the layer, its module, positional and named inputs, and the output.
    """

    def hook(layer: Layer) -> Any:
        def seen(module: nn.Module, inputs: Any, named: Any, output: Any) -> None:
            see(layer, module, inputs, named, output)

        return seen

    handles = [
        owner.register_forward_hook(hook(layer), with_kwargs=True)
        for layer in layers
        for owner in layer.owners
    ]
    try:
        with evaluating(model):
            run_example(model, example)
    finally:
        for handle in handles:
            handle.remove()


def call_order(model: nn.Module, layers: Sequence[Layer], example: tuple[Any, ...]) -> list[Layer]:
    """Layers in the order of their first calls; those that are not called as modules come last."""
    first: dict[int, int] = {}

    def note(module: nn.Module, inputs: Any) -> None:
        first.setdefault(id(module), len(first))

    owners = [owner for layer in layers for owner in layer.owners]
    handles = [owner.register_forward_pre_hook(note) for owner in owners]
    try:
        with torch.no_grad():
            run_example(model, example)
    finally:
        for handle in handles:
            handle.remove()

    def place(layer: Layer) -> int:
        return min(first.get(id(owner), len(first)) for owner in layer.owners)

    return sorted(layers, key=place)
