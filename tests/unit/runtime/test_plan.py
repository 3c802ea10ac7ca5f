"""Plans in manifests that do not fit together are refused."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from niwaki.errors import NiwakiError
from niwaki.runtime.manifest import Manifest, Plan, Stage, read_manifest
from niwaki.runtime.plan import MOST_STAGES
from niwaki.runtime.plan_picture import plan_lines
from niwaki.signature import Signature, TensorSpec

FLAT: Any = {"tuple": [{"tuple": [0]}, {"dict": {}}]}


def manifest(target: str, inputs: int, *outputs: int, **fields: Any) -> Manifest:
    """Of a network from one vector to several."""
    signature = Signature(
        (TensorSpec("x", (inputs,), "float32"),),
        tuple(TensorSpec("y", (size,), "float32") for size in outputs),
        FLAT,
        {"tuple": list(range(len(outputs)))},
    )
    fields = {"driver": "local", **fields}
    return Manifest("0", "1", target, signature=signature, **fields)


def whole() -> dict[str, Any]:
    """A bundle whose second part is a chain of two stages."""
    stages = [
        Stage(manifest("a", 3, 4, 5), [[0, 0]], 0, 10),
        Stage(manifest("b", 5, 6), [[1, 1]], 10, 40),
    ]
    plan = Plan(stages, [[2, 0], [1, 0], [0, 0]], 40, {"a": 50, "b": 60})
    together = manifest("together", 3, 6, 4, 3, driver="together", plan=plan)
    first = manifest("a", 3, 6, 4, 3, others=[together])
    made: dict[str, Any] = json.loads(first.to_bytes())
    return made


def test_a_plan_is_read_as_it_was_written() -> None:
    data = json.dumps(whole()).encode()
    plan = read_manifest(data, "net").others[0].plan
    assert [stage.manifest.target for stage in plan.stages] == ["a", "b"]
    assert plan.alone_ns == {"a": 50, "b": 60}


def change(place: list[Any], value: Any) -> dict[str, Any]:
    made = whole()
    at: Any = made["others"][0]
    *way, last = place
    for key in way:
        at = at[key]
    at[last] = value(at[last]) if callable(value) else value
    return made


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (["driver"], "local", "must have stages where the driver is together"),
        (["plan", "stages"], [], "must have stages where the driver is together"),
        (["plan", "stages", 0, "inputs"], [], "stages[0].inputs must be one for each tensor"),
        (["plan", "stages", 0, "inputs"], [[1, 0]], "stages[0].inputs must hold numbers of a "),
        (["plan", "stages", 1, "inputs"], [[2, 0]], "stages[1].inputs must hold numbers of a "),
        (["plan", "stages", 1, "inputs"], [[1, 2]], "stages[1].inputs must hold numbers of a "),
        (["plan", "stages", 1, "inputs"], [[1]], "stages[1].inputs must hold numbers of a stage"),
        (["plan", "stages", 1, "inputs"], [[1, 0]], "y: 4xfloat32 is no x: 5xfloat32"),
        (["plan", "stages", 1, "inputs"], [[1, -1]], "must be from 0 to"),
        (["plan", "outputs"], [[2, 0]], "outputs must be one for each tensor"),
        (["plan", "outputs", 0], [3, 0], "outputs must hold numbers of a stage before"),
        (["plan", "outputs", 0], [1, 1], "y: 5xfloat32 is no y: 6xfloat32"),
        (["plan", "stages", 0, "manifest", "golden"], "0" * 64, "network for one target alone"),
        (["plan", "stages", 0, "manifest", "iree"], "2", "of the same release as the whole"),
        (["plan", "stages", 0, "manifest", "driver"], "together", "must have stages where the "),
        (["plan", "stages"], lambda old: old * MOST_STAGES, f"must be {MOST_STAGES} at most"),
    ],
)
def test_plans_that_do_not_fit(place: list[Any], value: Any, told: str) -> None:
    made = deepcopy(change(place, value))
    with pytest.raises(NiwakiError) as caught:
        read_manifest(json.dumps(made).encode(), "net")
    assert told in str(caught.value)
    assert str(caught.value).startswith("net: manifest.json")


def test_a_plan_inside_a_plan() -> None:
    inner = whole()["others"][0]
    data = json.dumps(change(["plan", "stages", 0, "manifest"], inner)).encode()
    with pytest.raises(NiwakiError, match="must be of a network for one target alone"):
        read_manifest(data, "net")


def test_the_picture() -> None:
    plan = read_manifest(json.dumps(whole()).encode(), "net").others[0].plan
    assert plan_lines(plan, 40) == [
        "together: planned 0.0 us a call; alone a 0.1 us, b 0.1 us",
        "",
        "a  [(IREE)--]",
        "b            [(IREE)----------------------]",
    ]
