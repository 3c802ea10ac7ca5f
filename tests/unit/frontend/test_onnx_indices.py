"""Ops that read and write by computed positions: from the end where these are negative, and within.

ONNX Runtime refuses positions beyond a tensor when it runs; here the nearest element stands in.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numeric.cases import Array
from onnx.reference import ReferenceEvaluator
from onnx_models import Case, joined, listed, node, normal, save

import niwaki

X = normal(4, 5, 3)
# For each dimension: inside, from the end, and far beyond either end.
INSIDE = [[0, 3, -1], [2, -4, 1], [-3, 2, 1]]
BEYOND = [[4, 2**31 - 1, -5], [-(2**31), 9, -7], [5, -6, 100]]
FARTHER = [[2**63 - 1, -(2**63), 4], [-(2**40), 5, 2**32], [3, -4, -(2**32)]]


def cases(positions: Array) -> Iterator[Case]:
    """Each op with `positions` of three dimensions, which fit its own where they are inside."""
    for axis in range(3):
        yield _case("Gather", {"x": X, "i": positions[axis]}, axis=axis)
        along = np.broadcast_to(positions[axis].reshape(-1, *[1] * (2 - axis)), _shape(axis)).copy()
        yield _case("GatherElements", {"x": X, "i": along}, axis=axis)
        for reduction in ("none", "add", "max"):
            update = {"x": X, "i": along, "u": normal(*along.shape)}
            yield _case("ScatterElements", update, axis=axis, reduction=reduction)
    if positions.dtype == np.int32:  # which the others do not take
        return
    points = positions.T.copy()
    yield _case("GatherND", {"x": X, "i": points})
    yield _case("GatherND", {"x": X, "i": positions[0][:, None].copy()})
    yield _case("GatherND", {"x": X[:3], "i": positions[1][:, None].copy()}, batch_dims=1)
    for reduction in ("none", "add", "max"):
        for count in (1, 2, 3):
            shape = (3, *X.shape[count:])
            update = {"x": X, "i": points[:, :count].copy(), "u": normal(*shape)}
            yield _case("ScatterND", update, reduction=reduction)


def _shape(axis: int) -> list[int]:
    return [3 if dim == axis else size for dim, size in enumerate(X.shape)]


def _case(op: str, inputs: dict[str, Array], **attributes: Any) -> Case:
    return Case(f"{op} {attributes}", [node(op, *inputs, **attributes)], inputs)


def _clipped(case: Case) -> dict[str, Array]:
    """The case's inputs, each position that of the element it stands for."""
    (made,), inputs = case.nodes, dict(case.inputs)
    attributes = {item.name: item.i for item in made.attribute}
    shape = inputs["x"].shape
    if made.op_type.endswith("ND"):
        batch = attributes.get("batch_dims", 0)
        sizes = np.array(shape[batch : batch + inputs["i"].shape[-1]])
    else:
        sizes = np.array(shape[attributes["axis"]])
    given = inputs["i"].astype(object)
    inputs["i"] = np.clip(np.where(given < 0, given + sizes, given), 0, sizes - 1).astype(np.int64)
    return inputs


@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_computed_positions(dtype: str, tmp_path: Path) -> None:
    made = joined([*cases(np.array(INSIDE, dtype))], 18)
    path = save(made, tmp_path / "net.onnx")
    network = niwaki.compile(path, output=tmp_path / "net.niwaki").load()
    for values in (INSIDE, BEYOND, *([FARTHER] if dtype == "int64" else [])):
        given = list(cases(np.array(values, dtype)))
        near = {
            f"{number}.{name}": value
            for number, case in enumerate(given)
            for name, value in _clipped(case).items()
        }
        wanted = ReferenceEvaluator(made).run(None, near)
        found = listed(network(*(value for case in given for value in case.inputs.values())))
        wrong = [
            case.name
            for case, ours, theirs in zip(given, found, wanted, strict=True)
            if not np.allclose(ours, theirs)
        ]
        assert not wrong, (values, wrong)
