"""`niwaki cost` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import click.testing
import pytest

from niwaki.cli import main

NET = """
import torch
from torch import nn

def make():
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 24, 3, padding=1)]
    return nn.Sequential(*layers).eval(), (torch.zeros(1, 3, 20, 20),)
"""


def niwaki(*arguments: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, arguments)


@pytest.fixture
def net(tmp_path: Path) -> str:
    (tmp_path / "net.py").write_text(NET)
    return f"{tmp_path / 'net.py'}:make"


def test_layers_are_priced_by_measurement(net: str, tmp_path: Path) -> None:
    args = ("cost", net, "--scheme", "block_punched", "--rates", "2,4", "--json")
    done = niwaki(*args, "--costs", str(tmp_path / "costs.sqlite"))
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["source"] == "measure"
    first, second = told["layers"]
    assert (first["layer"], second["layer"]) == ("0", "2")
    assert [one["rate"] for one in second["pruned"]] == [2, 4]
    assert 0 < second["dense"] < 1
    assert told["dense"] >= first["dense"] + second["dense"]


def test_layers_of_a_phone_are_a_table(net: str, tmp_path: Path) -> None:
    args = ("cost", net, "--target", "arm64-android", "--costs", str(tmp_path / "costs.sqlite"))
    done = niwaki(*args)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["layer", "weights", "scheme", "1x", "2x", "4x", "8x", "16x"]
    assert lines[2].split()[:3] == ["0", "16x3x9", "dense"]
    assert lines[-1].startswith("ms on arm64-android, by estimate: dense network ")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--rates", "2,x"), "--rates 2,x: give numbers above 1: --rates 2,4,8"),
        (("--rates", "1"), "--rates 1: give numbers above 1: --rates 2,4,8"),
        (("--times", "net.niwaki"), "--times net.niwaki: give a bundle and a file"),
        (("--scheme", "blocks"), "unknown pruning scheme 'blocks'"),
        (("--target", "vulkan"), "target 'vulkan' has no costs"),
    ],
)
def test_mistakes_are_one_line(net: str, args: tuple[str, ...], told: str) -> None:
    done = niwaki("cost", net, *args)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_two_sources_are_wrong_usage(net: str) -> None:
    done = niwaki("cost", net, "--times", "a=b", "--by", "estimate")
    assert done.exit_code == 2
    assert "--times are a source of costs themselves" in done.stderr
