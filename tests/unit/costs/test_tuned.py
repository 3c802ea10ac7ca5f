"""Layers that were tuned on this machine cost what was measured then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import torch
from torch import nn

import niwaki
from niwaki.costs.estimates import Estimate, estimate
from niwaki.costs.layer_times import LayerTimes
from niwaki.costs.price import priced
from niwaki.costs.store import Store
from niwaki.costs.subject import opened
from niwaki.costs.tuned import Tuned
from niwaki.layer_costs import AS_IT_IS, Setting
from niwaki.pruning import PruningConfig, prune
from niwaki.targets import get_target
from niwaki.tuning.database import Database, default_path
from niwaki.tuning.settings import Tuning
from niwaki.tuning.signature import compiler_version, machine_name

EXAMPLE = torch.zeros(1, 16, 12, 12)
BLOCKS = Setting("block_punched", 4)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(16, 32, 3), nn.ReLU(), nn.Conv2d(32, 16, 3)).eval()


def database(path: Path) -> Database:
    return Database(path, compiler_version(), machine_name(get_target("host")))


@contextmanager
def times(folder: Path, tuning: Database) -> Iterator[LayerTimes]:
    store = Store(folder / "costs.sqlite", "host", "here")
    with closing(store), closing(tuning), opened(network(), EXAMPLE) as subject:
        yield LayerTimes(subject, store, Tuned(tuning))


def estimated(layer: str, setting: Setting) -> Estimate:
    with opened(network(), EXAMPLE) as subject:
        return estimate(subject.ops[layer][0], setting, subject.target)


def test_a_layer_pruned_in_blocks_takes_what_tuning_measured(tmp_path: Path) -> None:
    config = PruningConfig("block_punched", 4, include=["0"])
    pruned = prune(network(), method="magnitude", config=config, progress=False)
    path = tmp_path / "tuning.sqlite"
    niwaki.compile(
        pruned, (EXAMPLE,), output=tmp_path / "net.niwaki", tune=Tuning(trials=1, db=path)
    )
    told = estimated("0", BLOCKS)
    with closing(database(path)) as tuning:
        measured = tuning.times(told.layer)[told.candidate]
    with times(tmp_path, database(path)) as found:
        assert found.seconds("0", BLOCKS) == measured
        # What was not tuned is estimated.
        assert found.seconds("0", Setting("block_punched", 8)) < told.seconds


def test_kernels_that_failed_and_others_are_estimated(tmp_path: Path) -> None:
    told = estimated("0", BLOCKS)
    with closing(database(tmp_path / "tuning.sqlite")) as tuning:
        tuning.note(told.layer, told.candidate, float("inf"))
        tuning.note(told.layer, "another kernel", 1.0)
    with times(tmp_path, database(tmp_path / "tuning.sqlite")) as found:
        assert found.seconds("0", BLOCKS) == pytest.approx(told.seconds)


def test_costs_of_the_host_know_what_was_tuned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    told = estimated("2", AS_IT_IS)
    with closing(database(default_path())) as tuning:
        tuning.note(told.layer, told.candidate, 1.5)
    with priced(network(), EXAMPLE, schemes=["dense"], costs=tmp_path / "c.sqlite") as costs:
        assert costs.seconds("2", AS_IT_IS) == 1.5
        assert costs.seconds("0", AS_IT_IS) < 1
    with priced(network(), EXAMPLE, source="estimate", costs=tmp_path / "c.sqlite") as costs:
        assert costs.seconds("2", AS_IT_IS) < 1
