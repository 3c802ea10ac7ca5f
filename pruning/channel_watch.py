"""The channels of a network's tensors, found by watching it compute once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from .batches import evaluating, run_example
from .branches import Branches
from .channel_graph import NORMS, ChannelGraph, Channels, Spaces, Unit
from .channel_rules import channels_after
from .layers import CONVOLUTIONS

UNITS = (*CONVOLUTIONS, nn.Linear, *NORMS, Branches)


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
    try:
        with evaluating(model), watch:
            outputs = run_example(model, example)
    finally:
        for handle in handles:
            handle.remove()
    for value in tree_leaves(outputs):
        watch.spaces.keep_whole(watch.known(value))
    return watch.graph()


class _Watch(TorchDispatchMode):
    """Notes the channels of each tensor. What units do inside is not looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.spaces = Spaces()
        self._channels: dict[int, Channels | None] = {}
        self._tensors: list[Tensor] = []  # kept alive, so that ids stay theirs
        self._readers: dict[int, list[Unit | None]] = {}  # of tensors; None is an op
        self._results: dict[int, list[int]] = {}  # of modules
        self._units: dict[int, Unit] = {}
        self._inside = 0

    def known(self, value: Any) -> Channels | None:
        """What is known of a tensor's channels."""
        return self._channels.get(id(value))

    def graph(self) -> ChannelGraph:
        units = list(self._units.values())
        norms = {}
        for unit in units:
            results = self._results[id(unit.module)]
            readers = [reader for result in results for reader in self._readers.get(result, [])]
            if unit.calls == len(readers) == 1 and readers[0] is not None:
                norm = readers[0]
                if norm.is_norm and norm.calls == 1 and norm.module.running_var is not None:
                    norms[id(unit.module)] = norm.module
            unit.reads = self.spaces.settled(unit.reads)
            unit.writes = self.spaces.settled(unit.writes)
        return ChannelGraph(units, self.spaces.sizes(), self.spaces.whole(), norms)

    def enter(self, module: nn.Module, inputs: Any) -> None:
        """Before a unit computes."""
        self._inside += 1

    def leave(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        """After it has."""
        self._inside -= 1
        if self._inside:
            return  # part of another unit
        source = inputs[0] if inputs else None
        reads = self.known(source)
        unit = self._units.get(id(module))
        if unit is None:
            unit = self._units[id(module)] = Unit(module, reads)
            unit.writes = self._written(unit, output)
        elif reads is None or unit.reads is None or not self.spaces.join(reads, unit.reads):
            self.spaces.keep_whole(reads)
            self.spaces.keep_whole(unit.reads)
            unit.reads = None
        unit.calls += 1
        filters = output.shape[-1 if isinstance(module, nn.Linear) else 1]
        unit.positions += output.numel() / max(1, filters)
        self._readers.setdefault(id(source), []).append(unit)
        self._results.setdefault(id(module), []).append(id(output))
        self._note(output, unit.writes)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if self._inside:
            return result
        inputs = [value for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor)]
        first = result[0] if isinstance(result, tuple | list) and result else result
        if all(self.known(value) is None for value in inputs) or not isinstance(first, Tensor):
            return result
        for value in inputs:
            self._readers.setdefault(id(value), []).append(None)
        name = func.overloadpacket.__name__.removesuffix("_")
        channels = channels_after(name, args, inputs, first, self.known, self.spaces)
        if channels is None:
            for value in inputs:
                self.spaces.keep_whole(self.known(value))
        self._note(first, channels)
        return result

    def _written(self, unit: Unit, output: Tensor) -> Channels | None:
        """Channels of a unit's result, at its first call."""
        module = unit.conv
        if unit.is_norm:
            if module.weight is None or module.running_var is None:
                self.spaces.keep_whole(unit.reads)  # what it gives for zeros is not zero
            return unit.reads
        if unit.is_depthwise:
            return unit.reads
        grouped = getattr(module, "groups", 1) > 1
        elsewhere = output.dim() != module.weight.dim()  # channels are not dimension 1
        if grouped or elsewhere:
            self.spaces.keep_whole(unit.reads)
            unit.reads = None
        if elsewhere:
            return None
        channels = self.spaces.new(output.shape[1])
        if grouped:
            self.spaces.keep_whole(channels)
        return channels

    def _note(self, value: Tensor, channels: Channels | None) -> None:
        self._tensors.append(value)
        self._channels[id(value)] = channels
