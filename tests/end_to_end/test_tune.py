"""Kernels chosen by measuring: right results, and no measurement is made twice."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import niwaki
from niwaki import Tuning
from niwaki.errors import CompilerBug, NiwakiError
from niwaki.runtime.bundle import Bundle
from niwaki.tuning import tuner, workers
from niwaki.tuning.single_layer import Job

TRIALS = 6
IMAGES = torch.randn(2, 8, 12, 12, generator=torch.Generator().manual_seed(1))


class Net(nn.Module):
    """Two equal convolutions with a residual add, a strided and a linear one; most weights 0."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(8, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 8, 3, padding=1)
        self.down = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.line = nn.Linear(16 * 36, 10)
        kept = torch.zeros(1, 8, 3, 3)
        kept[:, ::2, 0], kept[:, 1::2, 2] = 1, 1
        with torch.no_grad():
            for layer in (self.first, self.second, self.down):
                layer.weight *= kept
        self.eval()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.first(x))
        y = torch.relu(self.second(y))
        return self.line(torch.relu(self.down(y + x)).flatten(1))


def tuned(folder: Path, trials: int = TRIALS) -> Bundle:
    """The network, tuned with a database in `folder`."""
    tune = Tuning(folder / "times.sqlite", trials)
    return niwaki.compile(Net(), IMAGES[:1], output=folder / "net.niwaki", tune=tune)


class Measurements:
    """Stands in for measuring: times that depend on the kernel alone, and how often it was asked.

    Kernels that come later are faster, so that none is chosen by chance.
    """

    def __init__(self) -> None:
        self.count = 0
        self.fail = False

    def __call__(self, job: Job) -> float:
        self.count += 1
        if self.fail:
            raise CompilerBug("IREE refuses it")
        return 1e-3 / self.count


@pytest.fixture
def measurements(monkeypatch: pytest.MonkeyPatch) -> Measurements:
    counted = Measurements()
    monkeypatch.setattr(workers, "measure", counted)
    return counted


def test_tuned_network_is_right(tmp_path: Path) -> None:
    bundle = tuned(tmp_path, trials=2)
    assert all(layer.measured_ns > 0 for layer in bundle.layers)
    assert all(layer.estimated_ns > 0 for layer in bundle.layers)
    found = niwaki.load(bundle.path)(IMAGES[:1].numpy())
    torch.testing.assert_close(torch.from_numpy(found), Net()(IMAGES[:1]), rtol=1e-4, atol=1e-5)


def test_without_tuning_nothing_is_measured(tmp_path: Path, measurements: Measurements) -> None:
    bundle = niwaki.compile(Net(), IMAGES[:1], output=tmp_path / "net.niwaki")
    assert measurements.count == 0
    assert all(layer.measured_ns == 0 for layer in bundle.layers)


def test_second_run_measures_nothing(tmp_path: Path, measurements: Measurements) -> None:
    first = tuned(tmp_path)
    # Tails differ: the second convolution adds. Linear layers have few candidates.
    assert 3 * TRIALS < measurements.count <= 4 * TRIALS
    count = measurements.count
    assert tuned(tmp_path).layers == first.layers
    assert measurements.count == count


def test_fastest_is_chosen(tmp_path: Path, measurements: Measurements) -> None:
    bundle = tuned(tmp_path)
    (least,) = {layer.measured_ns for layer in bundle.layers if layer.name == "line"}
    assert least == round(1e9 * 1e-3 / measurements.count)


def test_equal_layers_are_measured_once(tmp_path: Path, measurements: Measurements) -> None:
    torch.manual_seed(0)
    layers = [nn.Conv2d(4, 4, 3, padding=1) for _ in range(3)]
    model = nn.Sequential(*layers).eval()
    tune = Tuning(tmp_path / "times.sqlite", TRIALS)
    bundle = niwaki.compile(
        model, torch.zeros(1, 4, 8, 8), output=tmp_path / "net.niwaki", tune=tune
    )
    assert measurements.count == TRIALS
    assert len({(layer.kernel, layer.measured_ns) for layer in bundle.layers}) == 1


def test_other_version_measures_again(
    tmp_path: Path, measurements: Measurements, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned(tmp_path)
    count = measurements.count
    with monkeypatch.context() as patch:
        patch.setattr(tuner, "compiler_version", lambda: "niwaki 99, iree 99")
        tuned(tmp_path)
    assert measurements.count == 2 * count
    tuned(tmp_path)
    assert measurements.count == 2 * count


KILLED = """
import os, signal, sys
from pathlib import Path
from test_tune import Measurements, tuned
from niwaki.tuning import workers

class Killed(Measurements):
    def __call__(self, job):
        if self.count == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(job)

workers.measure = Killed()
tuned(Path(sys.argv[1]))
"""


def test_killed_run_goes_on(tmp_path: Path, measurements: Measurements) -> None:
    (whole := tmp_path / "whole").mkdir()
    tuned(whole)
    needed = measurements.count
    command = [sys.executable, "-c", KILLED, str(tmp_path), "7"]
    here = {"PYTHONPATH": str(Path(__file__).parent), "PATH": ""}
    done = subprocess.run(command, env=here, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (tmp_path / "net.niwaki").exists()
    measurements.count = 7
    tuned(tmp_path)
    assert measurements.count == needed


def test_kernels_that_fail(tmp_path: Path, measurements: Measurements) -> None:
    """Then estimates choose, and what failed is not tried again."""
    measurements.fail = True
    bundle = tuned(tmp_path)
    plain = niwaki.compile(Net(), IMAGES[:1], output=tmp_path / "plain.niwaki")
    assert [layer.kernel for layer in bundle.layers] == [layer.kernel for layer in plain.layers]
    assert all(layer.measured_ns == 0 for layer in bundle.layers)
    count = measurements.count
    tuned(tmp_path)
    assert measurements.count == count


def test_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(NiwakiError, match=r"^tuning runs kernels on this machine, and cannot for"):
        niwaki.compile(None, target="arm64", output=tmp_path / "net.niwaki", tune=True)


def test_damaged_database(tmp_path: Path) -> None:
    (tmp_path / "times.sqlite").write_text("no database " * 99)
    with pytest.raises(NiwakiError, match=r"times.sqlite \(file is not a database\): delete it"):
        tuned(tmp_path)
    assert not (tmp_path / "net.niwaki").exists()


def test_infinite_is_no_time() -> None:
    assert math.isinf(workers.seconds_of(Job("no module", {}, "kernel", (), ())))
