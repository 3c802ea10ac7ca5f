"""Calls of any length, made calls of a network that is compiled for a length.

lengths 32, 64, 128    ids: 1x50 --> network for 64, ids: 1x64, output: 1x64x9 --> 1x50x9
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from niwaki.errors import NiwakiError
from niwaki.padding import cut, pad, resized
from niwaki.records import Lengths
from niwaki.signature import Signature, TensorSpec

from .arguments import checked, leaves_of
from .arrays import aligned_empty
from .lengths import at_length, networks
from .manifest import Manifest


@dataclass(frozen=True)
class Call:
    """Arrays of a call, their length, and the length of the network that takes them."""

    arrays: list[np.ndarray]
    length: int = 0
    network: int = 0


@dataclass(frozen=True)
class Fitting:
    """Makes calls of any length calls of a compiled one.

    Attributes:
        path: of the bundle.
        signature: of the longest network.
        lengths: what its manifest says.
        compiled: all lengths, ascending.
        known: inputs by length, of lengths that there were.
    """

    path: str
    signature: Signature
    lengths: Lengths
    compiled: tuple[int, ...]
    known: dict[int, tuple[TensorSpec, ...]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, path: str, manifest: Manifest) -> Fitting:
        """That of a bundle."""
        return cls(path, manifest.signature, manifest.lengths, tuple(networks(manifest)))

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Call:
        """A call, padded to the shortest network that it fits.

        Raises:
            NiwakiError: as `arguments.bind`, or it is longer than any network, or of no length.
        """
        leaves = leaves_of(self.signature, args, kwargs)
        length = self._length(leaves)
        pairs = zip(self._specs(length), leaves, strict=True)
        arrays = [checked(spec, leaf) for spec, leaf in pairs]
        network = next(one for one in self.compiled if one >= length)
        if network > length:
            arrays = self._padded(arrays, network)
        return Call(arrays, length, network)

    def cut(self, call: Call, outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """What of a network's outputs belongs to a call."""
        if call.network == call.length:
            return list(outputs)
        pairs = zip(outputs, self.lengths.outputs, strict=True)
        return [cut(output, dimensions, call.length) for output, dimensions in pairs]

    def _length(self, leaves: Sequence[Any]) -> int:
        """That of the first input that has one; the longest where it has not that dimension."""
        number = next(i for i, places in enumerate(self.lengths.inputs) if places)
        spec, place = self.signature.inputs[number], self.lengths.inputs[number][0]
        try:
            shape = np.shape(leaves[number])
        except Exception:  # of a value's own `__array__`, or no array at all
            shape = ()
        if len(shape) != len(spec.shape):
            return self.compiled[-1]  # and `checked` tells what is wrong
        length, most = shape[place], self.compiled[-1]
        if not 1 <= length <= most:
            told = f"compile the network with --lengths up to {length}" if length else "give some"
            raise NiwakiError(
                f"input '{spec.name}' has length {length}, and {self.path} takes lengths from 1 to "
                f"{most}: {told}"
            )
        return int(length)

    def _specs(self, length: int) -> tuple[TensorSpec, ...]:
        """The inputs for a length; a small network runs as long as it takes to make them."""
        if length not in self.known:
            self.known[length] = at_length(self.signature, self.lengths, length).inputs
        return self.known[length]

    def _padded(self, arrays: Sequence[np.ndarray], network: int) -> list[np.ndarray]:
        padded = []
        rows = zip(arrays, self.lengths.inputs, self.lengths.padding, strict=True)
        for array, dimensions, name in rows:
            if dimensions:
                target = aligned_empty(resized(array.shape, dimensions, network), array.dtype)
                array = pad(array, target, name)
            padded.append(array)
        return padded
