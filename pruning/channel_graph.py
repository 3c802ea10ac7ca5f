"""Which channels of a network's tensors are the same: found by watching it compute once.

    y = norm1(conv1(x)); z = relu(y + conv2(y))
      -->
    space 0: what conv1, norm1 and conv2 write; read by conv2, and by whatever reads z

A space is a set of channels that can only be removed together: a convolution writes one, a sum of
two tensors makes one of theirs, and a concatenation is a list of several. Where an op does
something else to channels, or the network returns them, all channels of the space stay.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from .branches import Branches
from .layers import CONVOLUTIONS

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
UNITS = (*CONVOLUTIONS, nn.Linear, *NORMS, Branches)

# Channels of zeros give channels of zeros, and others stay where they are.
KEEPS = {
    "abs", "alias", "clone", "detach", "elu", "gelu", "hardswish", "hardtanh",
    "leaky_relu", "mish", "neg", "relu", "silu", "tanh", "_to_copy",
    "_prelu_kernel",
    "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool2d", "adaptive_max_pool3d",
    "_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "max_pool1d", "max_pool2d_with_indices", "max_pool3d_with_indices",
    "upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d",
    "upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d", "upsample_bicubic2d",
}  # fmt: skip
RESHAPES = {"view", "_unsafe_view", "reshape", "squeeze", "unsqueeze"}
REDUCES = {"mean", "sum", "amax"}
SUMS = {"add", "sub"}


@dataclass(frozen=True)
class Run:
    """All channels of a space in their order, each `repeat` times in a row."""

    space: int
    repeat: int = 1


Channels = tuple[Run, ...]  # of a tensor, along dimension 1


@dataclass
class Unit:
    """A module whose weights have channels: a convolution, linear layer, batch-norm or `Branches`.

    Attributes:
        reads: channels of its input; None where they are not known.
        writes: channels of its result; of a norm or depthwise convolution those that it reads.
        calls: how often the network calls it.
        positions: at which it multiplies all its weights, in all calls.
    """

    module: nn.Module
    reads: Channels | None
    writes: Channels | None
    calls: int = 0
    positions: float = 0.0

    @property
    def conv(self) -> nn.Module:
        """The module that has filters."""
        return self.module.main if isinstance(self.module, Branches) else self.module

    @property
    def is_norm(self) -> bool:
        return isinstance(self.module, NORMS)

    @property
    def is_depthwise(self) -> bool:
        return _is_depthwise(self.conv)


@dataclass
class ChannelGraph:
    """What watching a network told.

    Attributes:
        units: in the order of their first calls.
        sizes: channels of each space.
        whole: spaces of which all channels stay.
    """

    units: list[Unit] = field(default_factory=list)
    sizes: dict[int, int] = field(default_factory=dict)
    whole: set[int] = field(default_factory=set)
    _norms: dict[int, nn.Module | None] = field(default_factory=dict)

    def norm_behind(self, module: nn.Module) -> nn.Module | None:
        """The batch-norm that alone reads what the module writes, if there is one."""
        return self._norms.get(id(module))


def watch_channels(model: nn.Module, example: Any) -> ChannelGraph:
    """Run the network once, in eval mode, and tell its spaces of channels.

    Args:
        example: inputs of the network, several in a tuple.
    """
    watch = _Watch()
    handles = []
    for module in model.modules():
        if isinstance(module, UNITS):
            handles.append(module.register_forward_pre_hook(watch.enter))
            handles.append(module.register_forward_hook(watch.leave))
    states = {module: module.training for module in model.modules()}
    try:
        model.eval()
        with torch.no_grad(), watch:
            outputs = model(*example) if isinstance(example, tuple) else model(example)
    finally:
        for handle in handles:
            handle.remove()
        for module, state in states.items():
            module.training = state
    for value in tree_leaves(outputs):
        if isinstance(value, Tensor):
            watch.keep_whole(watch.of(value))
    return watch.graph()


class _Watch(TorchDispatchMode):
    """Notes the channels of each tensor. What units do inside is not looked at."""

    def __init__(self) -> None:
        super().__init__()
        self._parents: list[int] = []  # of spaces that have become one
        self._sizes: list[int] = []
        self._whole: set[int] = set()
        self._channels: dict[int, Channels | None] = {}
        self._tensors: list[Tensor] = []  # kept alive, so that ids stay theirs
        self._readers: dict[int, list[Unit | None]] = {}
        self._results: dict[int, list[int]] = {}  # of units, by id
        self._units: dict[int, Unit] = {}
        self._inside = 0

    def of(self, value: Any) -> Channels | None:
        """What is known of a tensor's channels."""
        return self._channels.get(id(value)) if isinstance(value, Tensor) else None

    def keep_whole(self, channels: Channels | None) -> None:
        for run in channels or ():
            self._whole.add(self._root(run.space))

    def graph(self) -> ChannelGraph:
        units = list(self._units.values())
        norms: dict[int, nn.Module | None] = {}
        for unit in units:
            readers = [reader for r in self._results[id(unit.module)] for reader in self._read(r)]
            found = [reader for reader in readers if reader is not None and reader.is_norm]
            if not unit.is_norm and len(readers) == len(found) == unit.calls == found[0].calls == 1:
                norms[id(unit.module)] = found[0].module
        for unit in units:
            unit.reads, unit.writes = self._settled(unit.reads), self._settled(unit.writes)
        roots = {self._root(space) for space in range(len(self._sizes))}
        sizes = {root: self._sizes[root] for root in sorted(roots)}
        return ChannelGraph(units, sizes, {self._root(s) for s in self._whole}, norms)

    def enter(self, module: nn.Module, inputs: Any) -> None:
        """Before a unit computes."""
        self._inside += 1

    def leave(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        """After it has."""
        self._inside -= 1
        if self._inside:
            return  # part of another unit
        source = inputs[0] if inputs else None
        reads = self.of(source)
        unit = self._units.get(id(module))
        if unit is None:
            unit = Unit(module, reads, None)
            unit.writes = self._written(unit, output)
            self._units[id(module)] = unit
            self._results[id(module)] = []
        elif reads is None or unit.reads is None or not self._joined(reads, unit.reads):
            self.keep_whole(reads)
            self.keep_whole(unit.reads)
            unit.reads = None
        unit.calls += 1
        unit.positions += output.numel() / max(1, _filters(module, output))
        self._readers.setdefault(id(source), []).append(unit)
        self._results[id(module)].append(id(output))
        self._note(output, unit.writes)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if self._inside:
            return result
        inputs = [value for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor)]
        first = result[0] if isinstance(result, tuple | list) and result else result
        known = [value for value in inputs if self.of(value) is not None]
        if not known or not isinstance(first, Tensor):
            return result
        for value in inputs:
            self._readers.setdefault(id(value), []).append(None)
        name = func.overloadpacket.__name__.removesuffix("_")
        channels = self._after(name, args, inputs, first)
        if channels is None:
            for value in known:
                self.keep_whole(self.of(value))
        self._note(first, channels)
        return result

    def _after(
        self, name: str, args: Sequence[Any], inputs: Sequence[Tensor], result: Tensor
    ) -> Channels | None:
        """Channels of an op's result; None if it does not keep zeros, or moves channels."""
        source = inputs[0]
        channels = self.of(source)
        if name == "cat":
            return self._concatenated(args, inputs)
        if name in SUMS or name == "mul":
            return self._combined(name, inputs, result)
        if name == "div":
            alone = all(self.of(value) is None for value in inputs[1:])
            return channels if alone and result.shape == source.shape else None
        if channels is None:
            return None
        if name == "hardtanh" and len(args) > 2 and not args[1] <= 0 <= args[2]:
            return None
        if name in KEEPS or name == "constant_pad_nd":
            same = result.dim() > 1 and result.shape[1] == source.shape[1]
            if name == "constant_pad_nd" and (len(args) > 2 and args[2] != 0):
                return None
            return channels if same else None
        if name in REDUCES and len(args) > 1:
            dims = {dim % source.dim() for dim in args[1]}
            return channels if min(dims) > 1 else None
        if name in RESHAPES and result.dim() > 1 and len(result) == len(source):
            if result.shape[1] == source.shape[1]:
                return channels
            inner = math.prod(source.shape[2:])
            if result.shape[1] == source.shape[1] * inner:
                return tuple(Run(run.space, run.repeat * inner) for run in channels)
        return None

    def _concatenated(self, args: Sequence[Any], inputs: Sequence[Tensor]) -> Channels | None:
        dim = args[1] % inputs[0].dim() if len(args) > 1 else 0
        each = [self.of(value) for value in inputs]
        if dim != 1 or None in each:
            return None
        return tuple(run for channels in each for run in channels or ())

    def _combined(self, name: str, inputs: Sequence[Tensor], result: Tensor) -> Channels | None:
        """Of sums and products, whose shapes PyTorch broadcasts."""
        if len(inputs) == 1:
            return self.of(inputs[0]) if name == "mul" else None
        each = [self.of(value) for value in inputs]
        if name == "mul":
            # Zero times anything: whichever has the result's shape decides.
            whole = [i for i, value in enumerate(inputs) if value.shape == result.shape]
            if None in each:
                known = [each[i] for i in whole if each[i] is not None]
                return known[0] if known else None
        if any(value.shape[1:2] != result.shape[1:2] for value in inputs):
            return None
        first, second = each
        if first is None or second is None or not self._joined(first, second):
            return None
        return first

    def _joined(self, first: Channels, second: Channels) -> bool:
        """Make the spaces of two tensors the same; False if they do not match."""
        shapes = [[(self._size(run.space), run.repeat) for run in runs] for runs in (first, second)]
        if shapes[0] != shapes[1]:
            return False
        for one, other in zip(first, second, strict=True):
            a, b = self._root(one.space), self._root(other.space)
            self._parents[max(a, b)] = min(a, b)
        return True

    def _written(self, unit: Unit, output: Tensor) -> Channels | None:
        """Channels of a unit's result, at its first call."""
        module = unit.conv
        if isinstance(module, NORMS):
            if module.weight is None or module.running_var is None:
                self.keep_whole(unit.reads)  # what it gives for zeros is not zero
            return unit.reads
        if unit.is_depthwise:
            return unit.reads
        grouped = getattr(module, "groups", 1) > 1
        elsewhere = output.dim() != module.weight.dim()  # channels are not dimension 1
        if grouped or elsewhere:
            self.keep_whole(unit.reads)
            unit.reads = None
        if elsewhere:
            return None
        self._parents.append(len(self._parents))
        self._sizes.append(output.shape[1])
        channels = (Run(len(self._parents) - 1),)
        if grouped:
            self.keep_whole(channels)
        return channels

    def _note(self, value: Tensor, channels: Channels | None) -> None:
        self._tensors.append(value)
        self._channels[id(value)] = channels

    def _read(self, result: int) -> list[Unit | None]:
        return self._readers.get(result, [])

    def _settled(self, channels: Channels | None) -> Channels | None:
        if channels is None:
            return None
        return tuple(Run(self._root(run.space), run.repeat) for run in channels)

    def _size(self, space: int) -> int:
        return self._sizes[self._root(space)]

    def _root(self, space: int) -> int:
        while self._parents[space] != space:
            space = self._parents[space]
        return space


def _is_depthwise(module: nn.Module) -> bool:
    """One filter a channel, of more than one channel."""
    groups = getattr(module, "groups", 1)
    return groups > 1 and groups == module.in_channels == module.out_channels


def _filters(module: nn.Module, output: Tensor) -> int:
    return output.shape[-1 if isinstance(module, nn.Linear) else 1]
