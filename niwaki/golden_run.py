"""Golden inputs and outputs of a network: what the model itself computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki.elements import Element
from niwaki.errors import NiwakiError
from niwaki.frontend import Imported
from niwaki.lengths.runners import running
from niwaki.runtime.golden import SMALL, Golden, golden_size, moved
from niwaki.signature import TensorSpec
from niwaki.sources import Source
from niwaki.targets import Target

Array = npt.NDArray[Any]

# How far inputs are off, as a share of each number, to see what rounding does to outputs: layer
# after layer it adds up to some steps of a type's last bit.
NUDGES = {"f32": 2.0**-18, "f16": 2.0**-8}
RUNS = 2


def wants_golden(
    asked: bool | None, imported: Imported, targets: Sequence[Target], trim_threshold: float
) -> bool:
    """Whether a bundle gets golden outputs.

    By default it does where a GPU may run it, whose driver nobody has tested, or several parts may,
    and the arrays are small. Weights that are rounded to zero make another network than the model.

    Raises:
        NiwakiError: they are asked for, and cannot be had.
    """
    if asked and trim_threshold > 0:
        raise NiwakiError(
            "golden outputs are the model's own, and trim_threshold changes results: leave out one"
        )
    if asked is not None:
        return asked
    several = len(targets) > 1 or targets[0].backend == "gpu"
    return several and trim_threshold == 0 and golden_size(imported.signature) <= SMALL


def golden_run(
    source: Source, imported: Imported, element: Element, asked: bool | None
) -> Golden | None:
    """The model's example inputs, or drawn ones, its outputs, and how far rounding moves these.

    PyTorch runs its own models; others are compiled for this machine. None where the model does
    not run here and nobody has asked.

    Raises:
        NiwakiError: it was asked for, and the model does not run.
    """
    inputs = golden_inputs(imported.signature.inputs, imported.examples)
    try:
        with running(source, imported) as network:
            # What a call returns lies in memory of the network's.
            outputs = [np.array(output) for output in network(inputs)]
            slack = [0.0] * len(outputs)
            for nudged in nudges(inputs, NUDGES[element.name]):
                distances = map(moved, network(nudged), outputs)
                slack = list(map(max, slack, distances))
    except NiwakiError:
        if asked:
            raise
        return None
    pairs = zip(outputs, imported.signature.outputs, strict=True)
    return Golden(inputs, [np.array(output, spec.kind) for output, spec in pairs], slack)


def nudges(inputs: Sequence[Array], size: float) -> Iterator[list[Array]]:
    """Inputs that are a little off, as rounding would have them; none where no input is a float."""
    generator = np.random.default_rng(1)
    if all(array.dtype.kind != "f" for array in inputs):
        return
    for _ in range(RUNS):
        yield [_nudged(one, size, generator) if one.dtype.kind == "f" else one for one in inputs]


def _nudged(array: Array, size: float, generator: np.random.Generator) -> Array:
    with np.errstate(over="ignore"):  # the largest numbers become infinite
        return np.asarray(array * (1 + size * generator.standard_normal(array.shape)), array.dtype)


def golden_inputs(specs: Sequence[TensorSpec], examples: Sequence[Array] | None) -> list[Array]:
    """Examples as they are; floats that are all alike are drawn, since they hide what is wrong."""
    generator = np.random.default_rng(0)
    found = []
    for number, spec in enumerate(specs):
        example = None if examples is None else np.asarray(examples[number])
        if spec.kind.kind == "f" and (example is None or is_constant(example)):
            found.append(np.asarray(generator.standard_normal(spec.shape), spec.kind))
        elif example is not None:
            found.append(np.array(example, spec.kind))
        else:  # words, places, masks: 0 and 1 are among those that every network takes
            found.append(np.zeros(spec.shape, spec.kind))
    return found


def is_constant(array: Array) -> bool:
    """Whether all numbers are the same one, of more than one."""
    return array.size > 1 and bool((array == array.flat[0]).all())
