"""What is told while a network is compiled, and the bar that shows it."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import niwaki
from niwaki.commands.progress_bar import progress_bar
from niwaki.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Log(Progress):
    def __init__(self) -> None:
        self.stages = 0
        self.heard: list[tuple[str, set[str]]] = []

    def begin(self, stages: int) -> None:
        self.stages = stages

    def stage(self, name: str) -> None:
        self.heard.append((name, set()))

    def layer(self, name: str) -> None:
        self.heard[-1][1].add(name)


def test_stages_and_layers_are_told(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3)).eval()
    log = Log()
    x = torch.ones(1, 3, 9, 9)
    niwaki.compile(model, x, output=tmp_path / "net.niwaki", progress=log)
    assert len(log.heard) == log.stages
    names = [name for name, _ in log.heard]
    assert names[:2] == ["read the network", "outline loops"]
    assert "raise layers" in names
    assert names[-2:] == ["generate code (IREE)", "write the bundle"]
    assert dict(log.heard)["detect schemes"] == {"0", "1"}
    assert dict(log.heard)["compact storage"] == {"0", "1"}


def test_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stage and layer in one line of 80 columns, gone at the end; names cannot move the cursor."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    with progress_bar() as progress:
        progress.begin(4)
        progress.stage("detect schemes")
        progress.layer("layer1.0.conv1 [bold]\x1b[2J")
    shown = terminal.getvalue()
    assert "detect schemes" in shown
    assert "layer1.0.conv1 [bold]\\x1b[2J" in shown
    assert "\x1b[2J" not in shown
    assert shown.endswith("\x1b[1A\x1b[2K")


def test_no_bar_in_pipes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_bar() as progress:
        progress.begin(4)
        progress.stage("detect schemes")
    assert capsys.readouterr() == ("", "")
