"""The example that analyses the demo's network, on a few images."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from xml.etree import ElementTree

import analyse_fashion_mnist
import pytest
import torch


def test_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "analysis"
    arguments = ["analyse_fashion_mnist.py", "--images", "50", "--output", str(output)]
    monkeypatch.setattr(sys, "argv", arguments)
    threads = torch.get_num_threads()
    try:
        analyse_fashion_mnist.main()
    finally:
        torch.set_num_threads(threads)
    printed = capsys.readouterr().out
    means = {
        line.split(":")[0]: float(line.split("SVCCA ")[1].split(",")[0])
        for line in printed.splitlines()
        if "SVCCA" in line
    }
    assert list(means) == ["pruned 8x, retrained", "pruned 8x, not retrained", "control",
                           "not trained"]  # fmt: skip
    assert min(means, key=lambda name: means[name]) == "not trained"
    assert "layer2.0.conv2: block_punched(8x1), 12.5 % kept" in printed

    def rows(name: str) -> list[dict[str, str]]:
        with (output / name).open(newline="") as file:
            return list(csv.DictReader(file))

    assert len(rows("similarity.csv")) == 13 * 4
    assert len(rows("sensitivity.csv")) == 13 * 3
    assert sum(int(row["kernels"]) for row in rows("patterns.csv") if row["layer"] == "conv1") == 0
    for plot in ("similarity", "patterns", "mask", "sensitivity"):
        ElementTree.parse(output / f"{plot}.svg")
