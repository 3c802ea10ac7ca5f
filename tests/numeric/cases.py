"""Many small networks in one module: one compilation tests dozens of them against PyTorch.

check([Case("relu", nn.ReLU(), ones(2, 3))], tmp_path)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import niwaki

Array = NDArray[Any]
Tensors = tuple[torch.Tensor, ...]

# Of the largest value that the reference computes; what is above is an error, not rounding.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Case:
    """One small network.

    Attributes:
        name: what a failure is called.
        model: takes `inputs`, gives a tensor or a tuple of tensors.
        inputs: for the first run; the second one takes others of the same shapes.
        tolerance: see `TOLERANCE`.
    """

    name: str
    model: nn.Module
    inputs: Tensors
    tolerance: float = TOLERANCE


class Branches(nn.Module):
    """All cases side by side: a flat list of inputs, and a list of outputs for each case."""

    def __init__(self, cases: Sequence[Case]) -> None:
        super().__init__()
        self.models = nn.ModuleList(case.model for case in cases)
        self.counts = [len(case.inputs) for case in cases]

    def forward(self, *inputs: torch.Tensor) -> list[Any]:
        pending: Iterator[torch.Tensor] = iter(inputs)
        return [
            model(*[next(pending) for _ in range(count)])
            for model, count in zip(self.models, self.counts, strict=True)
        ]


class Compiled:
    """Cases compiled as one network; a call maps inputs of each case to outputs of each."""

    def __init__(
        self,
        cases: Sequence[Case],
        folder: Path,
        target: str = "host",
        threads: int = 1,
        precision: str = "f32",
    ) -> None:
        inputs = tuple(value for case in cases for value in case.inputs)
        path = folder / f"{target}.niwaki"
        self.bundle = niwaki.compile(
            Branches(cases).eval(), inputs, target=target, output=path, precision=precision
        )
        self.network = niwaki.load(path, threads=threads)

    def __call__(self, inputs: Sequence[Tensors]) -> list[list[Array]]:
        results = self.network(*[x.numpy() for each in inputs for x in each])
        return [listed(result) for result in results]

    def with_kernels(self) -> set[int]:
        """Numbers of the cases in which a layer has one of our kernels."""
        return {int(layer.name.split(".")[1]) for layer in self.bundle.manifest.layers}


def check(
    cases: Sequence[Case],
    folder: Path,
    target: str = "host",
    threads: int = 1,
    precision: str = "f32",
) -> Compiled:
    """Compile `cases`, run them on two sets of inputs, compare with PyTorch.

    Both sets must give different results in nearly all cases, lest nothing be tested.
    """
    compiled = Compiled(cases, folder, target, threads, precision)
    references = []
    for inputs in ([case.inputs for case in cases], [tuple(map(another, c.inputs)) for c in cases]):
        references.append([reference(case.model, x) for case, x in zip(cases, inputs, strict=True)])
        compare(cases, compiled(inputs), references[-1])
    pairs = zip(cases, *references, strict=True)
    idle = [case.name for case, a, b in pairs if all(map(same, a, b))]
    assert len(idle) <= len(cases) // 3, f"the input changes nothing in {idle}"
    return compiled


def compare(
    cases: Sequence[Case],
    found: Sequence[Sequence[Array]],
    wanted: Sequence[Sequence[Array]],
    when: str = "",
) -> None:
    """Fail with a line for each output that is wrong."""
    problems = [
        f"{case.name}{when}: {problem}"
        for case, outputs, references in zip(cases, found, wanted, strict=True)
        for output, expected in zip(outputs, references, strict=True)
        if (problem := difference(output, expected, case.tolerance))
    ]
    assert not problems, "\n" + "\n".join(problems)


def same(a: Array, b: Array) -> bool:
    """Whether two results are equal, NaN in the same place included."""
    return bool(np.isclose(a, b, equal_nan=True).all())


def listed(value: Any) -> list[Any]:
    """A tensor or a tuple of them as a list."""
    return list(value) if isinstance(value, (tuple, list)) else [value]


def reference(model: nn.Module, inputs: Tensors) -> list[Array]:
    """PyTorch's results."""
    with torch.no_grad():
        return [value.numpy() for value in listed(model.eval()(*inputs))]


def another(x: torch.Tensor) -> torch.Tensor:
    """Other values of the same kind: images and columns in reverse order, and changed signs."""
    return (-x if x.is_floating_point() else x).flip(list(range(x.ndim)))


def plain_references(cases: Sequence[Case], inputs: Sequence[Tensors]) -> list[list[Array]]:
    """Results of PyTorch's own kernels: oneDNN's skip what padding adds, 0 * NaN among it."""
    with torch.backends.mkldnn.flags(enabled=False):
        return [reference(case.model, x) for case, x in zip(cases, inputs, strict=True)]


def spoiled(x: torch.Tensor, values: tuple[float, ...]) -> torch.Tensor:
    """`x` with some of its elements replaced, corners among them."""
    flat = x.clone().reshape(-1)
    places = [0, flat.numel() - 1, *range(3, flat.numel(), max(7, flat.numel() // 9))]
    for i, place in enumerate(places):
        flat[place] = values[i % len(values)]
    return flat.reshape(x.shape)


def difference(output: Array, expected: Array, tolerance: float = TOLERANCE) -> str:
    """What is wrong with an output, empty if nothing is. NaN and infinity must be in place."""
    if (output.shape, output.dtype) != (expected.shape, expected.dtype):
        return f"is {output.dtype}{output.shape}, not {expected.dtype}{expected.shape}"
    finite = np.isfinite(expected)
    strange = ~finite & ~np.isclose(output, expected, equal_nan=True)
    strange |= finite & ~np.isfinite(output)
    if strange.any():
        at = tuple(map(int, np.argwhere(strange)[0]))
        return f"at {at}, and {strange.sum() - 1} more: {output[at]}, not {expected[at]}"
    if not finite.any():
        return ""
    error = np.zeros(expected.shape)
    error[finite] = np.abs(output[finite].astype(np.float64) - expected[finite])
    largest = max(float(np.abs(expected[finite]).max()), 1e-30)
    if error.max() <= tolerance * largest:
        return ""
    at = tuple(map(int, np.unravel_index(error.argmax(), error.shape)))
    wrong = int((error > tolerance * largest).sum())
    return (
        f"at {at}: {output[at]}, not {expected[at]} (error {error.max() / largest:.2g} of the"
        f" largest value; {wrong} of {error.size} values wrong)"
    )
