"""`make demo` is the project's main job: it runs on real images and says what it found."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def output(repository: Path) -> str:
    """What the demo prints."""
    done = subprocess.run(
        [sys.executable, "examples/demo.py"],
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_compiled_networks_classify_every_image_as_pytorch_does(output: str) -> None:
    for network in ("dense", "pruned"):
        assert f"{network}, compiled: 1,000 of 1,000 predictions as in PyTorch" in output


def test_accuracies_are_those_of_trained_networks(output: str) -> None:
    accuracies = [float(percent) for percent in re.findall(r"│\s+(\d\d\.\d)%", output)]
    assert len(accuracies) == 4
    assert min(accuracies) > 90


def test_pruned_layers_are_recognised_and_dense_ones_explained(output: str) -> None:
    table = [line for line in output.splitlines() if "conv 3x3" in line]
    # Two lose filters that nothing reads, but for those that complete a block.
    assert sum("block_punched(8x" in line for line in table) == 8
    reason = output.partition("stays dense: no weight is zero\n")[2].split("\n")[0]
    assert reason.split(",")[0].strip() == "conv1"


@pytest.mark.requires_qemu
def test_runs_on_arm64(output: str) -> None:
    assert "arm64: 5 of 5 predictions as in PyTorch" in output


@pytest.mark.requires_vulkan
def test_runs_on_vulkan(output: str) -> None:
    assert "vulkan: 5 of 5 predictions as in PyTorch" in output
