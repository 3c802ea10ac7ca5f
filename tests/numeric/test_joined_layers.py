"""What a layer reads besides its input is where it is, wherever its own result is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from chosen import own_family

from niwaki.passes import select_kernels

from .cases import Compiled, check
from .joined_layers import FAMILIES, joined_layers
from .network_accesses import problems_of
from .winograd_layers import always


def families(compiled: Compiled) -> set[str]:
    """Of the kernels of a call."""
    return {run.family for run in compiled.bundle.manifest.dispatches}


def test_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select_kernels, "fastest", own_family)
    assert families(check(joined_layers(), tmp_path)) >= FAMILIES


def test_places_of_winograd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch, 4, 15, 8)
    assert "winograd" in families(check(joined_layers()[1:], tmp_path))


@pytest.mark.parametrize("target", ["x86-64-v4", "arm64"])
def test_accesses(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select_kernels, "fastest", own_family)
    problems, _ = problems_of(joined_layers, target)
    assert problems == []
