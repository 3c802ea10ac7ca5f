"""Which channels of a network's tensors are the same: what `channel_watch` finds.

    y = norm1(conv1(x)); z = relu(y + conv2(y))
      -->
    space 0: what conv1, norm1 and conv2 write; read by conv2, and by whatever reads z

A space is a set of channels that can only be removed together: a convolution writes one, a sum of
two tensors makes one of theirs, and a concatenation is a list of several. Where an op does
something else to channels, or the network returns them, all channels of the space stay.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn

from .branches import Branches

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@dataclass(frozen=True)
class Run:
    """All channels of a space in their order, each `repeat` times in a row."""

    space: int
    repeat: int = 1


Channels = tuple[Run, ...]  # of a tensor, along dimension 1


class Spaces:
    """Spaces of channels, which become one where tensors are added."""

    def __init__(self) -> None:
        self._parents: list[int] = []
        self._sizes: list[int] = []
        self._whole: set[int] = set()

    def new(self, size: int) -> Channels:
        """The channels of a space that nobody else has yet."""
        self._parents.append(len(self._parents))
        self._sizes.append(size)
        return (Run(len(self._parents) - 1),)

    def join(self, first: Channels, second: Channels) -> bool:
        """Make the spaces of two tensors the same; False if they do not match."""
        shapes = [
            [(self._sizes[run.space], run.repeat) for run in runs] for runs in (first, second)
        ]
        if shapes[0] != shapes[1]:
            return False
        for one, other in zip(first, second, strict=True):
            a, b = self.root(one.space), self.root(other.space)
            self._parents[max(a, b)] = min(a, b)
        return True

    def keep_whole(self, channels: Channels | None) -> None:
        """All of these channels stay."""
        self._whole |= {run.space for run in channels or ()}

    def settled(self, channels: Channels | None) -> Channels | None:
        """The same in spaces that are left."""
        if channels is None:
            return None
        return tuple(Run(self.root(run.space), run.repeat) for run in channels)

    def root(self, space: int) -> int:
        while self._parents[space] != space:
            space = self._parents[space]
        return space

    def sizes(self) -> dict[int, int]:
        """Channels of each space that is left."""
        roots = sorted({self.root(space) for space in range(len(self._sizes))})
        return {root: self._sizes[root] for root in roots}

    def whole(self) -> set[int]:
        """Spaces of which all channels stay."""
        return {self.root(space) for space in self._whole}


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
    writes: Channels | None = None
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
        """One filter a channel, of more than one channel."""
        groups = getattr(self.conv, "groups", 1)
        return bool(groups > 1 and groups == self.conv.in_channels == self.conv.out_channels)

    @property
    def mixes(self) -> bool:
        """Whether each value of its result comes from all channels."""
        return not self.is_norm and not self.is_depthwise


@dataclass
class ChannelGraph:
    """What watching a network told.

    Attributes:
        units: in the order of their first calls.
        sizes: channels of each space.
        whole: spaces of which all channels stay.
        norms: of units by `id` of their module, the batch-norm that alone reads their result.
    """

    units: list[Unit]
    sizes: dict[int, int]
    whole: set[int]
    norms: dict[int, nn.Module] = field(default_factory=dict)

    def norm_behind(self, module: nn.Module) -> nn.Module | None:
        """The batch-norm that alone reads what the module writes, if there is one."""
        return self.norms.get(id(module))
