"""Kernels measured by the machines of a Ray cluster, here one on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
import torch

import niwaki
from niwaki import NiwakiError, Tuning
from niwaki.tuning.single_layer import Job
from niwaki.tuning.workers import ray_workers, seconds_like

# Ray's own code leaves sockets and files to the garbage collector, and uses deprecated names.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::FutureWarning", "ignore::DeprecationWarning"
)


@pytest.fixture
def cluster() -> Iterator[str]:
    context = ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield context.address_info["address"]
    ray.shutdown()


def test_no_cluster() -> None:
    with pytest.raises(NiwakiError, match=r"^cannot reach the Ray cluster auto: \S"):
        ray_workers("auto", "host")


def test_cluster_measures(cluster: str, tmp_path: Path) -> None:
    model = torch.nn.Conv2d(4, 8, 3, padding=1).eval()
    tune = Tuning(tmp_path / "times.sqlite", 2, cluster)
    bundle = niwaki.compile(
        model, torch.zeros(1, 4, 12, 12), output=tmp_path / "net.niwaki", tune=tune
    )
    (layer,) = bundle.layers
    assert layer.measured_ns > 0


def test_other_machines_are_refused() -> None:
    with pytest.raises(NiwakiError, match=r"^a Ray worker is no machine like this one: host .*, "):
        seconds_like(Job("", {}, "kernel", (), ()), "host of another kind")
