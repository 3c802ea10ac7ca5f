"""Example inputs that a tolerance is measured on: a file of arrays, or a dict, by inputs' names.

    images.npz: {"x": float32[500, 3, 32, 32]}, network: x: 4x3x32x32
      -->
    125 calls with float32[4, 3, 32, 32] each

Examples lie one behind another along the first dimension; those of a scalar make a vector.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki.arguments import PATH, array_text, given
from niwaki.errors import NiwakiError
from niwaki.signature import TensorSpec
from niwaki.weights.numpy_files import read

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Examples:
    """Inputs of calls.

    Attributes:
        source: what to call them in reports.
        calls: the flat inputs of each.
    """

    source: str
    calls: Sequence[Sequence[Array]]

    @property
    def told(self) -> str:
        """How many there are of what."""
        return f"{len(self.calls)} call{'' if len(self.calls) == 1 else 's'} with {self.source}"


def calibration(data: Any, inputs: Sequence[TensorSpec]) -> Examples:
    """The calls that `data` has inputs for: an ``.npz`` file, or arrays by the inputs' names.

    Raises:
        NiwakiError: a name, a shape or an element type is not the network's, there is no example,
            or a number is not finite.
    """
    is_file = isinstance(data, PATH)
    where = os.fspath(data) if is_file else "calibrate"
    arrays = _read(where) if is_file else dict(data)
    if len(inputs) == 1 and list(arrays) == ["arr_0"]:  # as numpy.savez calls what has no name
        arrays = {inputs[0].name: arrays["arr_0"]}
    _check_names(where, arrays, inputs)
    parts = [_cut(where, arrays[spec.name], spec) for spec in inputs]
    counts = {spec.name: len(part) for spec, part in zip(inputs, parts, strict=True)}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count} of '{name}'" for name, count in counts.items())
        raise NiwakiError(f"{where} has examples for {told}: give as many of each input")
    source = os.path.basename(where) if is_file else "the examples given"
    return Examples(source, list(zip(*parts, strict=True)))


def own_examples(arrays: Sequence[Array], inputs: Sequence[TensorSpec]) -> Examples:
    """The one call that a module's example inputs are for; errors as of `calibration`."""
    told = "the example inputs"
    parts = [
        _cut(told, array if spec.shape else array.reshape(1), spec)[0]
        for array, spec in zip(arrays, inputs, strict=True)
    ]
    return Examples(told, [parts])


def _read(path: str) -> dict[str, Array]:
    if not path.endswith(".npz"):
        raise NiwakiError(f"{path} is no .npz file: save arrays by the inputs' names, numpy.savez")
    if not Path(path).is_file():
        raise NiwakiError(f"{path} does not exist: calibrate is an .npz file of example inputs")
    return dict(read(Path(path)))


def _check_names(where: str, arrays: Mapping[str, Any], inputs: Sequence[TensorSpec]) -> None:
    names = [spec.name for spec in inputs]
    missing = [name for name in names if name not in arrays]
    unknown = [name for name in arrays if name not in names]
    if not inputs:
        raise NiwakiError("a tolerance is measured on example inputs, and the network has no input")
    if missing or unknown:
        wanted = ", ".join(map(repr, names))
        got = ", ".join(map(repr, arrays)) or "nothing"
        raise NiwakiError(f"{where} has {got}: the network's inputs are {wanted}")


def _cut(where: str, value: Any, spec: TensorSpec) -> list[Array]:
    """The examples of one input."""
    try:
        array = np.asarray(value)
    except Exception as error:  # whatever a value's own `__array__` raises
        reason = str(error).partition("\n")[0]
        raise NiwakiError(f"{where}: '{spec.name}' is {given(value)}: {reason}") from None
    told = f"{where}: '{spec.name}' is {array_text(array)}"
    if array.dtype != spec.dtype:
        remedy = f"convert it with .astype('{spec.dtype}')"
        raise NiwakiError(f"{told}, and the network takes {spec.dtype}: {remedy}")
    step, rest = (spec.shape[0], spec.shape[1:]) if spec.shape else (1, ())
    if array.ndim != len(rest) + 1 or array.shape[1:] != rest or array.shape[0] % max(step, 1):
        wanted = ", ".join(map(str, (f"N x {step}" if step != 1 else "N", *rest)))
        raise NiwakiError(f"{told}, and N examples have the shape [{wanted}]")
    if not array.size:
        raise NiwakiError(f"{told}: it has no example")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise NiwakiError(f"{told}: it has NaN or infinity, so that nothing can be measured")
    return [
        np.ascontiguousarray(array[first : first + step]).reshape(spec.shape)
        for first in range(0, len(array), step)
    ]
