"""Networks for several lengths in one bundle, as its manifest tells of them.

    lengths 32, 64, 128    ids: 1x128, output: 1x128x9    --> for 32    ids: 1x32, output: 1x32x9

The manifest tells of the longest; the others differ from it in the sizes of some dimensions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from niwaki.padding import fillings, resized
from niwaki.records import Lengths
from niwaki.signature import Signature, TensorSpec

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


def lengths_problem(manifest: Manifest) -> str:
    """What is wrong with what a manifest says of lengths; empty if nothing is."""
    lengths, signature = manifest.lengths, manifest.signature
    if lengths == Lengths():
        return ""
    if manifest.states:
        return "a bundle with states has one length"
    if problem := _dimensions_problem(signature, lengths):
        return problem
    if len(lengths.padding) != len(signature.inputs):
        return "must have padding for each input"
    for spec, name in zip(signature.inputs, lengths.padding, strict=True):
        if name not in fillings(spec.dtype):
            return f"input {spec} cannot be filled with '{name}'"
    most, found = longest(manifest), [record.length for record in lengths.shorter]
    if found != sorted({*found}) or not all(0 < length < most for length in found):
        return f"shorter lengths must ascend, between 0 and {most}"
    return ""


def _dimensions_problem(signature: Signature, lengths: Lengths) -> str:
    """What is wrong with the dimensions that are the length."""
    counts = len(lengths.inputs), len(lengths.outputs)
    if counts != (len(signature.inputs), len(signature.outputs)):
        return "must say of each input and output which dimensions are the length"
    specs = (*signature.inputs, *signature.outputs)
    pairs = list(zip(specs, (*lengths.inputs, *lengths.outputs), strict=True))
    for spec, places in pairs:
        if any(place >= len(spec.shape) for place in places):
            return f"{spec} has no such dimension"
    sizes = {spec.shape[place] for spec, places in pairs for place in places}
    if len(sizes) != 1 or not any(lengths.inputs):
        return "dimensions that are the length must be equally large, and some input have one"
    return ""
