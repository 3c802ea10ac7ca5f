"""The example that searches for least energy, on the few images that the repository has."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fashion_mnist
import numpy as np
import pytest
import torch
from search import energy
from small_mobilenet import SmallMobileNet

from niwaki.pruning import load_settings

pytestmark = pytest.mark.usefixtures("one_thread")


def write_images(folder: Path, count: int) -> None:
    """Idx files, to train on and to test, with some of the repository's test images."""
    folder.mkdir()
    with np.load(fashion_mnist.TEST_IMAGES) as archive:
        for name, header, key in (("images-idx3", 16, "images"), ("labels-idx1", 8, "labels")):
            content = bytes(header) + archive[key][:count].astype(np.uint8).tobytes()
            for part in ("train", "t10k"):
                with gzip.open(folder / f"{part}-{name}-ubyte.gz", "wb") as file:
                    file.write(content)


@pytest.mark.parametrize("network", ["residual", "mobilenet"])
def test_example_runs(
    network: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_images(tmp_path / "fashion-mnist", 300)
    monkeypatch.setattr(energy, "HELD_OUT", 100)
    options = f"{network} --data {tmp_path} --work {tmp_path} --trials 3 --samplers agent same"
    monkeypatch.setattr(sys, "argv", ["energy.py", *options.split(), "--most-lost", "1"])
    energy.main()
    *_, agent, same = capsys.readouterr().out.splitlines()
    assert agent.startswith("agent | 0 | ")
    assert same.startswith("same | 0 | ")
    settings = load_settings(tmp_path / f"{network}-agent-0.json")
    assert len(settings) == (13 if network == "residual" else 15)
    if network == "mobilenet":
        weights = (tmp_path / "mobilenet.safetensors").read_bytes()
        energy.main()
        assert (tmp_path / "mobilenet.safetensors").read_bytes() == weights, "it is trained once"


def test_search_that_finds_nothing_is_told() -> None:
    found: Any = SimpleNamespace(front=[SimpleNamespace(lost=0.5), SimpleNamespace(lost=0.25)])
    row = energy.report(found, None, (torch.zeros(0), torch.zeros(0)))
    assert row == "nothing loses so little, the least is 25.0 points"


def test_small_mobilenet_depends_on_its_input() -> None:
    torch.manual_seed(0)
    network = SmallMobileNet()
    first, second = network(torch.randn(2, 1, 28, 28))
    assert first.shape == (10,)
    assert float((first - second).detach().abs().max()) > 0.01
