"""docs/pruning.md: its tables are complete and its Python runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from repository import ROOT
from torch import nn
from unit.pruning.tiny_task import accuracy, loader, network

from niwaki.pruning import METHODS, PRUNING_SCHEMES, load_config, parse_method, parse_scheme

DOCUMENT = (ROOT / "docs" / "pruning.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    section = DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line] for line in lines]


def test_schemes_are_those_there_are() -> None:
    found = {row[0].strip("`"): row[-1] for row in rows("Schemes")}
    schemes = [parse_scheme(name) for name in PRUNING_SCHEMES]
    assert {text: paper[paper.index("(") + 1 : -1] for text, paper in found.items()} == {
        str(scheme): scheme.paper for scheme in schemes
    }


def test_methods_are_those_there_are() -> None:
    found = {row[0].strip("`"): row[-1] for row in rows("Methods")}
    methods = [parse_method(name) for name in METHODS]
    assert {text: paper[paper.index("(") + 1 : -1] for text, paper in found.items()} == {
        str(method): method.paper for method in methods
    }


def test_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # for costs
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model = network()
    names = {
        "model": model,
        "train_loader": loader(64),
        "test_loader": loader(64),
        "other_seed": network(1),
        "accuracy": accuracy,
        "criterion": nn.CrossEntropyLoss(),
        "example": torch.zeros(1, 1, 12, 12),
        "torch": torch,
        "optimizer": torch.optim.Adam(model.parameters()),
    }
    for block in re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE):
        exec(block, names)
    torch.set_num_threads(threads)
    written = {path.name for path in tmp_path.iterdir()}
    assert {"similarity.csv", "similarity.svg", "patterns.svg", "mask.svg"} <= written
    pruned = names["pruned"]
    assert isinstance(pruned, nn.Module)
    for result in (pruned, model):
        assert 0.1 < float((result.get_parameter("6.weight") != 0).float().mean()) < 0.13


def test_yaml_is_read(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
    path = tmp_path / "pruning.yaml"
    path.write_text(block)
    config = load_config(path)
    assert (config.scheme, config.rate, len(config.layers)) == ("pattern", 8, 1)
