"""Cases as a network of f16: its layers get kernels of f16, and nearly the results of f32."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import niwaki
from niwaki.signature import flatten

from .cases import Array, Branches, Case, compare, reference

Run = Callable[[niwaki.Bundle, list[Array]], Sequence[Array]]


def check_halves(
    cases: Sequence[Case], tolerance: float, path: Path, run: Run, **options: Any
) -> niwaki.Bundle:
    """Compile `cases` in f16 and compare with PyTorch in f32, with the same weights and inputs."""
    model = Branches(cases).eval().half()
    inputs = [tuple(x.half() for x in case.inputs) for case in cases]
    flat = tuple(x for each in inputs for x in each)
    bundle = niwaki.compile(model, flat, output=path, **options)
    results = iter(run(bundle, [np.ascontiguousarray(x.numpy()) for x in flat]))
    model.float()
    expected = [
        reference(case.model, tuple(x.float() for x in each))
        for case, each in zip(cases, inputs, strict=True)
    ]
    found = [[next(results) for _ in outputs] for outputs in expected]
    assert {output.dtype for outputs in found for output in outputs} == {np.dtype(np.float16)}
    compare(
        [replace(case, tolerance=tolerance) for case in cases],
        [[output.astype(np.float32) for output in outputs] for outputs in found],
        expected,
    )
    wide = [layer.name for layer in bundle.layers if layer.element != "f16"]
    assert not wide, f"f32: {wide}"
    return bundle


def here(bundle: niwaki.Bundle, arrays: list[Array]) -> list[Array]:
    """The results on this machine."""
    return flatten(bundle.load()(*arrays))[0]
