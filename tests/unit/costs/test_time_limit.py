"""`niwaki.prune_within` keeps a limit, by estimates of a phone, which are the same in each run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click.testing
import pytest
import torch
from small_networks import ResNet
from torch import nn

import niwaki
from niwaki.cli import main
from niwaki.errors import NiwakiError

PHONE = "arm64-android"


def arguments() -> dict[str, Any]:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
        nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 4),
    )  # fmt: skip
    batches = [(torch.randn(4, 3, 20, 20), torch.randint(4, (4,))) for _ in range(3)]
    return {"model": model, "train_loader": batches, "progress": False}


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("costs") / "costs.sqlite"


@pytest.fixture(scope="module")
def dense(costs: Path) -> float:
    """Milliseconds of the dense network."""
    limited = niwaki.prune_within(**arguments(), target_ms=1e6, target=PHONE, costs=costs)
    assert limited.settings == {}
    return 1e3 * limited.seconds[1]


@pytest.mark.parametrize(("share", "mapping"), [(0.7, "search"), (0.4, "search"), (0.5, "rules")])
def test_limits_are_kept(dense: float, costs: Path, share: float, mapping: str) -> None:
    limit = share * dense
    limited = niwaki.prune_within(
        **arguments(), target_ms=limit, target=PHONE, mapping=mapping, epochs=1,
        method="magnitude", costs=costs,
    )  # fmt: skip
    assert all(0.97 * limit <= 1e3 * seconds <= limit for seconds in limited.seconds)
    assert "0" not in limited.settings  # the first stays dense, and so does the last
    assert "10" not in limited.settings
    assert bool(limited.rules) == (mapping == "rules")
    zeros = {
        name: float((limited.model.get_parameter(f"{name}.weight") == 0).float().mean())
        for name in limited.settings
    }
    for name, setting in limited.settings.items():
        assert zeros[name] == pytest.approx(1 - 1 / setting.rate, abs=0.05)


@pytest.mark.parametrize(
    ("method", "share", "more"),
    [
        ("search", 0.55, {}),
        ("search", 0.7, {"schemes": ["filter"]}),
        ("reweighted", 0.8, {}),
    ],
)
def test_methods_with_rates_of_their_own_keep_limits(
    dense: float, costs: Path, method: str, share: float, more: dict[str, Any]
) -> None:
    limit = share * dense
    limited = niwaki.prune_within(
        **arguments(), **more, target_ms=limit, target=PHONE, method=method, epochs=2, costs=costs,
    )  # fmt: skip
    # Where the kernel of one of three layers changes, there may be nothing near the limit.
    assert all(0.94 * limit <= 1e3 * seconds <= limit for seconds in limited.seconds)
    assert limited.settings
    for name, setting in limited.settings.items():
        zeros = float((limited.model.get_parameter(f"{name}.weight") == 0).float().mean())
        assert zeros == pytest.approx(1 - 1 / setting.rate)


def test_the_least_that_is_possible_is_told(costs: Path) -> None:
    with pytest.raises(NiwakiError, match=r"takes at most 0.001 ms: the least is 0\.\d+ ms, of"):
        niwaki.prune_within(**arguments(), target_ms=0.001, target=PHONE, epochs=1, costs=costs)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"target_ms": 0}, "target_ms is a number of milliseconds above 0, not 0"),
        ({"target_ms": "5"}, "target_ms is a number of milliseconds above 0, not '5'"),
        ({"target_ms": 10**400}, "target_ms is a number of milliseconds above 0, not 1"),
        ({"target_ms": math.inf}, "target_ms is a number of milliseconds above 0, not inf"),
        ({"model": None}, "the model is None, not a torch.nn.Module"),
        ({"train_loader": 5, "epochs": 1}, "train_loader is batches"),
        ({"train_loader": []}, "the training data of train_loader is empty"),
        ({"train_loader": iter([])}, "the length of the training data must be known"),
        ({"schemes": "filter"}, "schemes is a list, as"),
        ({"schemes": []}, "schemes is a list, as"),
        ({"schemes": ["blob"]}, "unknown pruning scheme 'blob'"),
        ({"loss": 5}, "loss is a function of outputs and targets, not 5"),
        ({"costs": 5}, "costs is the path of a file, not 5"),
        ({"config": 5}, "config is a PruningConfig"),
        ({"epochs": -1}, "epochs is a whole number from 0 on, not -1"),
        ({"example": 5}, "example is a tensor, or a tuple of inputs, not 5"),
        ({"mapping": "guess"}, "unknown mapping 'guess': choose one of search, rules"),
        ({"train_loader": None}, "a time limit needs train_loader"),
        ({"rate": 4}, "rate is chosen for the time limit: leave it out"),
        ({"scheme": "pattern"}, "scheme is chosen for the time limit: leave it out"),
        ({"method": "serach"}, "unknown pruning method 'serach'"),
        ({"method": "halving"}, "halving finds a library for the scheme pattern, and unst"),
        ({"method": "halving", "schemes": ["pattern", "filter"]}, "pattern, and filter takes none"),
        (
            {"method": "halving", "schemes": ["pattern"], "mapping": "rules"},
            "halving finds a library for the scheme pattern, and unstructured takes none: name",
        ),
        ({"target": "vulkan"}, "target 'vulkan' has no costs"),
    ],
)
def test_mistakes_are_told_before_any_work(costs: Path, more: dict[str, Any], told: str) -> None:
    given = {**arguments(), "target_ms": 5, "target": PHONE, "costs": costs, **more}
    with pytest.raises(NiwakiError, match=told):
        niwaki.prune_within(**given)


SETUP = """
import torch
from torch import nn

def setup():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 4))
    batches = [(torch.randn(4, 3, 20, 20), torch.randint(4, (4,))) for _ in range(2)]
    return {"model": model, "train_loader": batches, "method": "magnitude"}
"""


def run(*args: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, ["prune", *args])


def test_a_limit_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "train.py").write_text(SETUP)
    output = str(tmp_path / "pruned.safetensors")
    args = [f"{tmp_path / 'train.py'}:setup", "-o", output, "--target", PHONE]
    done = run(*args, "--target-ms", "0.2", "--epochs", "1")
    assert done.exit_code == 0, done.output
    last = done.stdout.splitlines()[-1]
    assert last.startswith(f"wrote {output}: 0.")
    assert " ms by estimate (" in last
    assert run(*args).exit_code == 2
    refused = run(*args, "--target-ms", "1", "--no-data")
    assert refused.exit_code == 1
    assert "--target-ms needs training data" in refused.stderr


def test_layers_that_are_added_keep_their_limit(costs: Path) -> None:
    torch.manual_seed(0)
    batches = [(torch.randn(2, 3, 16, 16), torch.randint(10, (2,))) for _ in range(2)]
    given: dict[str, Any] = {"model": ResNet(), "train_loader": batches, "target": PHONE}
    given["progress"] = False
    dense = niwaki.prune_within(**given, target_ms=1e6, costs=costs).seconds[0]
    limited = niwaki.prune_within(
        **given, target_ms=0.85e3 * dense, costs=costs, method="magnitude", epochs=1
    )
    assert limited.seconds[1] <= 0.85 * dense
