"""Stages on several devices: results of random plans, and calls of which a stage fails.

Devices here are Python: stages add numbers, so that no network is compiled.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from niwaki.runtime import together
from niwaki.runtime.bundle import Bundle
from niwaki.runtime.bundle_file import BundleFile, Part
from niwaki.runtime.manifest import Manifest, Plan, Stage
from niwaki.runtime.together import TogetherLane
from niwaki.signature import Signature, TensorSpec

INPUTS = 2
PATIENCE = 20.0  # seconds, for what takes none


class Planted(Exception):
    """What a stage fails with."""


class FakeLane:
    """A stage whose outputs are sums of its inputs, each plus its own number."""

    failing: Any = None

    def __init__(self, driver: Any, bundle: Bundle, *_: Any) -> None:
        self.manifest = bundle.manifest

    def run(self, inputs: Sequence[np.ndarray], kept: frozenset[int]) -> list[np.ndarray]:
        if self is FakeLane.failing:
            raise Planted
        outputs = len(self.manifest.signature.outputs)
        return [np.add.reduce(list(inputs)) + number for number in range(outputs)]

    def array(self, value: np.ndarray, spec: TensorSpec) -> np.ndarray:
        return value


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(together, "Lane", FakeLane)
    monkeypatch.setattr(together, "create_device", lambda *_: None)
    yield
    FakeLane.failing = None


def specs(count: int) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(str(i), (), "float64") for i in range(count))


def manifest(target: str, driver: str, inputs: int, outputs: int, **fields: Any) -> Manifest:
    tree: Any = {"tuple": [{"tuple": list(range(inputs))}, {"dict": {}}]}
    signature = Signature(specs(inputs), specs(outputs), tree, {"tuple": list(range(outputs))})
    return Manifest("0", "0", target, driver, signature, **fields)


def random_plan(draw: random.Random) -> Plan:
    """Of two to four devices, some of which are GPUs."""
    kinds = [draw.choice(["local", "vulkan"]) for _ in range(draw.randint(2, 4))]
    there, stages = [[0, i] for i in range(INPUTS)], []
    for number in range(1, draw.randint(3, 12)):
        inputs = draw.sample(there, draw.randint(1, min(3, len(there))))
        device, outputs = draw.randrange(len(kinds)), draw.randint(1, 2)
        one = manifest(f"device-{device}", kinds[device], len(inputs), outputs)
        stages.append(Stage(one, inputs, 0, 0))
        there += [[number, output] for output in range(outputs)]
    return Plan(stages, draw.sample(there, 3))


def lane_of(plan: Plan, folder: Path) -> TogetherLane:
    (folder / "nothing").touch()
    nothing = Part(BundleFile(str(folder / "nothing")), 0, 0, digest="")
    stages = tuple(
        Bundle(folder, stage.manifest, memoryview(b""), nothing) for stage in plan.stages
    )
    whole = manifest("together", "together", INPUTS, len(plan.outputs), plan=plan)
    bundle = Bundle(folder, whole, memoryview(b""), nothing, stages=stages)
    drivers = {stage.manifest.target: None for stage in plan.stages}
    return TogetherLane(drivers, bundle, [memoryview(b"")] * len(stages))


def reference(plan: Plan, inputs: Sequence[np.ndarray]) -> list[float]:
    known = {(0, i): float(one) for i, one in enumerate(inputs)}
    for number, stage in enumerate(plan.stages, 1):
        total = sum(known[source, output] for source, output in stage.inputs)
        for output in range(len(stage.manifest.signature.outputs)):
            known[number, output] = total + output
    return [known[source, output] for source, output in plan.outputs]


def in_time(call: Any) -> Any:
    """What a call gives, or the error it ends with; it must end."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(call())
        except Planted as error:
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert found, "the call hangs"
    return found[0]


@pytest.mark.parametrize("seed", range(40))
def test_random_plans(seed: int, tmp_path: Path) -> None:
    """Right, an error of any stage is the call's, and the next call is right again."""
    plan = random_plan(random.Random(seed))
    lane, inputs = lane_of(plan, tmp_path), [np.array(1.0), np.array(10.0)]
    for failing in (None, *lane.lanes, None):
        FakeLane.failing = failing
        for _ in range(3):
            found = in_time(lambda: lane(inputs))
            if failing is None:
                assert [float(one) for one in found] == reference(plan, inputs)
            else:
                assert isinstance(found, Planted)


def test_an_interrupt_between_lines_ends_helpers(tmp_path: Path) -> None:
    """One that comes when helpers wait for the caller, who has not begun."""
    stages = [
        Stage(manifest("a", "local", 1, 1), [[0, 0]], 0, 0),
        Stage(manifest("b", "vulkan", 1, 1), [[1, 0]], 0, 0),
    ]
    lane = lane_of(Plan(stages, [[2, 0]]), tmp_path)
    helpers, submitted = lane._helpers, []

    def submit(*arguments: Any) -> Any:
        submitted.append(helpers.threads().submit(*arguments))
        raise KeyboardInterrupt

    lane._helpers = SimpleNamespace(threads=lambda: SimpleNamespace(submit=submit))  # type: ignore
    with pytest.raises(KeyboardInterrupt):
        lane([np.array(1.0)])
    submitted[0].result(PATIENCE)
    lane._helpers = helpers
    assert [float(one) for one in lane([np.array(1.0)])] == [1.0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_helpers_of_its_own(tmp_path: Path) -> None:
    plan = random_plan(random.Random(1))
    lane, inputs = lane_of(plan, tmp_path), [np.array(1.0), np.array(10.0)]
    lane(inputs)
    child = os.fork()
    if not child:
        signal.alarm(int(PATIENCE))  # ends it if it hangs
        os._exit([float(one) for one in lane(inputs)] != reference(plan, inputs))
    assert os.waitpid(child, 0)[1] == 0
