"""Searches whose points are trained by a Ray cluster of two nodes, here both on this machine."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import ray
import search_functions
from ray.cluster_utils import Cluster
from search_functions import SPACE

import niwaki
from niwaki.errors import NiwakiError
from niwaki.progress import Progress
from niwaki.studies import Choice, Results

# Ray's own code leaves sockets and files to the garbage collector, and uses deprecated names.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning",
    "ignore::FutureWarning",
    "ignore::DeprecationWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


@dataclass(frozen=True)
class Nodes:
    """A cluster of two nodes with a core each."""

    made: Cluster
    second: Any


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """Its workers find the modules of the tests, as if these were installed there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(search_functions.__file__).parent))
        made = Cluster()
        made.add_node(num_cpus=1, include_dashboard=False)
        second = made.add_node(num_cpus=1, include_dashboard=False)
    yield Nodes(made, second)
    made.shutdown()


def searched(address: str, train: Any, evaluate: Any, trials: int, **options: Any) -> Results:
    arguments = {"space": SPACE, "sampler": "random", **options}
    return niwaki.search(
        train=train, evaluate=evaluate, trials=trials, workers=address, **arguments
    )


def test_both_nodes_train(nodes: Nodes) -> None:
    found = searched(
        nodes.made.address, search_functions.on_node, search_functions.scores_of_node, 8
    )
    assert len(found.done) == 8
    assert len({trial.scores["node"] for trial in found.done}) == 2
    assert not ray.is_initialized()


def test_workers_that_die(nodes: Nodes) -> None:
    space = {"width": Choice(1, 2, 4, 8), "kind": Choice("a"), "rate": Choice(2)}
    faulty, nan = search_functions.faulty, search_functions.nan_at_four
    found = searched(nodes.made.address, faulty, nan, 10, space=space)
    reasons = {trial.point["width"]: trial.reason for trial in found.failed}
    assert reasons.pop(1).startswith("train raised ValueError: no weights (search_functions.py:")
    assert reasons == {2: "its worker died: ActorDiedError", 4: "evaluate gave score = nan"}
    assert found.best.point["width"] == 8


def test_functions_that_workers_do_not_have(nodes: Nodes) -> None:
    function = types.FunctionType((lambda point: point).__code__, {}, "function")
    function.__module__, function.__qualname__ = "nowhere", "function"
    with pytest.MonkeyPatch.context() as patch:
        module = types.ModuleType("nowhere")
        module.function = function  # type: ignore[attr-defined]
        patch.setitem(sys.modules, "nowhere", module)
        told = (
            r"a worker cannot load train or evaluate \(ModuleNotFoundError: No module named 'nowh"
        )
        with pytest.raises(NiwakiError, match=f"^{told}"):
            searched(nodes.made.address, function, search_functions.score, 1)


def test_node_that_goes(nodes: Nodes) -> None:
    """Its trial fails, and the others are left to the other node."""

    class Removes(Progress):
        def stage(self, name: str) -> None:
            if name == "trial 2 of 8":
                nodes.made.remove_node(nodes.second)

    found = searched(
        nodes.made.address,
        search_functions.on_node,
        search_functions.scores_of_node,
        8,
        progress=Removes(),
    )
    assert len(found.trials) == 8
    assert len(found.failed) <= 1
    assert len({trial.scores["node"] for trial in found.done[3:]}) == 1


def test_no_cluster() -> None:
    told = r"^cannot reach the Ray cluster ray://nowhere\.invalid: \S"
    with pytest.raises(NiwakiError, match=told):
        searched("ray://nowhere.invalid", search_functions.copied, search_functions.score, 1)
