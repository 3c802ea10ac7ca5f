"""Memory in huge pages, where there are any."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from niwaki.runtime import huge_pages as module
from niwaki.runtime.huge_pages import huge_pages, page_size


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system that gives huge pages to who asks."""
    (tmp_path / "enabled").write_text("always [madvise] never\n")
    (tmp_path / "hpage_pmd_size").write_text("2097152\n")
    monkeypatch.setattr(module, "_SETTINGS", tmp_path)
    return tmp_path


@pytest.mark.usefixtures("settings")
def test_areas_are_aligned_and_as_large_as_asked() -> None:
    area = huge_pages(5 * 2**20 + 12345)
    assert area is not None
    assert len(area) == 5 * 2**20 + 12345
    assert np.frombuffer(area, np.uint8).ctypes.data % 2**21 == 0
    area[-1] = 1


@pytest.mark.usefixtures("settings")
def test_more_than_there_is() -> None:
    assert huge_pages(2**60) is None


@pytest.mark.parametrize(
    ("name", "text"), [("enabled", "always madvise [never]\n"), ("hpage_pmd_size", "unknown\n")]
)
def test_without_huge_pages(name: str, text: str, settings: Path) -> None:
    (settings / name).write_text(text)
    assert page_size() == 0
    assert huge_pages(100) is None


def test_systems_that_say_nothing(settings: Path) -> None:
    (settings / "enabled").unlink()
    assert page_size() == 0
