"""Networks for several lengths in one bundle: which one a call runs, and what it is given.

    lengths 32, 64, 128    ids: 1x50 --> network for 64, ids: 1x64, output: 1x64x9 --> 1x50x9

The manifest tells of the longest; the others differ from it in the sizes of some dimensions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from niwaki.errors import NiwakiError
from niwaki.padding import cut, fillings, pad, resized
from niwaki.records import Lengths
from niwaki.signature import Signature, TensorSpec

from .arguments import checked, leaves_of
from .arrays import aligned_empty

if TYPE_CHECKING:
    from .manifest import Manifest


def longest(manifest: Manifest) -> int:
    """The length that the manifest itself tells of; 0 where it has none."""
    pairs = zip(manifest.signature.inputs, manifest.lengths.inputs, strict=False)
    return next((spec.shape[places[0]] for spec, places in pairs if places), 0)


def networks(manifest: Manifest) -> dict[int, Manifest]:
    """A manifest for each length, ascending; of length 0 is a network without any."""
    lengths, none = manifest.lengths, Lengths()
    shorter = {
        record.length: replace(
            manifest,
            signature=at_length(manifest.signature, lengths, record.length),
            layers=record.layers,
            dispatches=record.dispatches,
            remarks=record.remarks,
            function=record.function,
            lengths=none,
        )
        for record in lengths.shorter
    }
    return {**shorter, longest(manifest): replace(manifest, lengths=none)}


def padded_inputs(manifest: Manifest) -> Iterator[tuple[TensorSpec, list[int], str]]:
    """Inputs that have a length: in which dimensions, and what fills them up."""
    lengths = manifest.lengths
    rows = zip(manifest.signature.inputs, lengths.inputs, lengths.padding, strict=False)
    return ((spec, places, name) for spec, places, name in rows if places)


def at_length(signature: Signature, lengths: Lengths, length: int) -> Signature:
    """Inputs and outputs of the network for another length."""
    return replace(
        signature,
        inputs=_resized(signature.inputs, lengths.inputs, length),
        outputs=_resized(signature.outputs, lengths.outputs, length),
    )


def _resized(
    specs: Sequence[TensorSpec], dimensions: Sequence[Sequence[int]], length: int
) -> tuple[TensorSpec, ...]:
    return tuple(
        replace(spec, shape=resized(spec.shape, places, length))
        for spec, places in zip(specs, dimensions, strict=True)
    )


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
    """

    path: str
    signature: Signature
    lengths: Lengths
    compiled: tuple[int, ...]

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
        signature = at_length(self.signature, self.lengths, length)
        arrays = [checked(spec, leaf) for spec, leaf in zip(signature.inputs, leaves, strict=True)]
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
        shape = np.shape(leaves[number])
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

    def _padded(self, arrays: Sequence[np.ndarray], network: int) -> list[np.ndarray]:
        padded = []
        rows = zip(arrays, self.lengths.inputs, self.lengths.padding, strict=True)
        for array, dimensions, name in rows:
            if dimensions:
                target = aligned_empty(resized(array.shape, dimensions, network), array.dtype)
                array = pad(array, target, name)
            padded.append(array)
        return padded


def lengths_problem(manifest: Manifest) -> str:
    """What is wrong with what a manifest says of lengths; empty if nothing is."""
    lengths, signature = manifest.lengths, manifest.signature
    if lengths == Lengths():
        return ""
    if manifest.states:
        return "a bundle with states has one length"
    for specs, dimensions in (
        (signature.inputs, lengths.inputs),
        (signature.outputs, lengths.outputs),
    ):
        if len(dimensions) != len(specs):
            return "must say of each input and output which dimensions are the length"
        for spec, places in zip(specs, dimensions, strict=True):
            if any(place >= len(spec.shape) for place in places):
                return f"{spec} has no such dimension"
    most = longest(manifest)
    sizes = {
        spec.shape[place]
        for spec, places in zip(
            (*signature.inputs, *signature.outputs),
            (*lengths.inputs, *lengths.outputs),
            strict=True,
        )
        for place in places
    }
    if sizes != {most}:
        return "dimensions that are the length must be equally large, and some input have one"
    if len(lengths.padding) != len(signature.inputs):
        return "must have padding for each input"
    for spec, name in zip(signature.inputs, lengths.padding, strict=True):
        if name not in fillings(spec.dtype):
            return f"input {spec} cannot be filled with '{name}'"
    found = [record.length for record in lengths.shorter]
    if found != sorted({*found}) or not all(0 < length < most for length in found):
        return f"shorter lengths must ascend, between 0 and {most}"
    return ""
