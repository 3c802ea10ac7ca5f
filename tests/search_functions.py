"""What tests of searches train: functions that worker processes can import."""

from __future__ import annotations

import math
import os
import signal

from niwaki.studies import Choice, Integer, Limit, Point, Real
from niwaki.studies.space import Dimension

SPACE: dict[str, Dimension] = {
    "width": Integer(1, 8),
    "kind": Choice("a", "b"),
    "rate": Real(1.0, 4.0),
}


def milliseconds(point: Point) -> float:
    return number(point, "width") * (2.0 if point["kind"] == "b" else 1.0)


def limit(most: float | None) -> Limit:
    return Limit("ms", most, milliseconds)


def number(point: Point, name: str) -> float:
    value = point[name]
    assert isinstance(value, (int, float))
    return float(value)


def score(point: Point) -> float:
    """Higher where the cost is, and best at a rate of 2."""
    return milliseconds(point) - abs(number(point, "rate") - 2)


def copied(point: Point) -> Point:
    """As training does: what is evaluated is of another process."""
    return {**point, "process": os.getpid()}


def scores(point: Point) -> dict[str, float]:
    return {"accuracy": score(point), "process": number(point, "process")}


def faulty(point: Point) -> Point:
    """Fails in a way for each width."""
    width = point["width"]
    if width == 1:
        raise ValueError("no weights\nare left")
    if width == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if width == 3:
        os._exit(4)
    return point


def forked(point: Point) -> Point:
    """Leaves a child that goes on as if it were the worker."""
    os.fork()
    return {**point, "process": os.getpid()}


def nan_at_four(point: Point) -> float:
    return math.nan if point["width"] == 4 else score(point)


def counted(point: Point) -> Point:
    """Computes for a while, without sleeping."""
    total = 0
    for i in range(int(os.environ["NIWAKI_TEST_LOOPS"])):
        total += i * i
    return point


def threads(point: Point) -> float:
    """How many its libraries may use."""
    return float(os.environ["OMP_NUM_THREADS"])


def on_node(point: Point) -> Point:
    """Trains on a node of a Ray cluster."""
    import ray

    return {**point, "node": int(ray.get_runtime_context().get_node_id()[:12], 16)}


def scores_of_node(point: Point) -> dict[str, float]:
    return {"score": score(point), "node": number(point, "node")}
