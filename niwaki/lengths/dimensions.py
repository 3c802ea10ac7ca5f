"""Which dimensions of a network's inputs and outputs are the length.

Those that differ between the networks for two lengths:

    ids: 1x21, y: 1x21x9    ids: 1x32, y: 1x32x9    -->    inputs [[1]], outputs [[1]]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from niwaki.errors import NiwakiError
from niwaki.padding import resized
from niwaki.signature import Signature, TensorSpec


def find_dimensions(
    signatures: Mapping[int, Signature],
) -> tuple[list[list[int]], list[list[int]]]:
    """Those of each input and each output, from signatures by at least two lengths.

    Raises:
        NiwakiError: no input has one, or a size depends on the length and is another number.
    """
    inputs = _found("input", {n: one.inputs for n, one in signatures.items()})
    outputs = _found("output", {n: one.outputs for n, one in signatures.items()})
    if not any(inputs):
        raise NiwakiError("no dimension of an input is the length: compile it without lengths")
    return inputs, outputs


def _found(role: str, specs: Mapping[int, Sequence[TensorSpec]]) -> list[list[int]]:
    (first, some), *others = specs.items()
    dimensions = []
    for number, spec in enumerate(some):
        shapes = {length: given[number].shape for length, given in others}
        places = [
            place
            for place, size in enumerate(spec.shape)
            if any(shape[place] != size for shape in shapes.values())
        ]
        dimensions.append(places)
        for length, shape in {first: spec.shape, **shapes}.items():
            if shape != resized(shape, places, length):
                sizes = "x".join(map(str, shape))
                raise NiwakiError(
                    f"{role} '{spec.name}' is {sizes} for length {length}: a dimension that "
                    "depends on the length must be the length itself; compile it without lengths"
                )
    return dimensions
