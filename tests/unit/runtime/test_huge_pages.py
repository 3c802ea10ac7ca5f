"""Weights are the same in huge pages, and stay where they are where there are none."""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
import pytest

from niwaki.runtime import huge_pages
from niwaki.runtime.huge_pages import CHUNK, LEAST_BYTES, in_huge_pages, page_size


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system that gives huge pages to who asks."""
    (tmp_path / "enabled").write_text("always [madvise] never\n")
    (tmp_path / "hpage_pmd_size").write_text("2097152\n")
    monkeypatch.setattr(huge_pages, "_SETTINGS", tmp_path)
    return tmp_path


def mapped(path: Path, size: int) -> memoryview:
    """A mapped file of so many random bytes."""
    path.write_bytes(np.random.default_rng(0).bytes(size))
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("size", [LEAST_BYTES + 64, CHUNK + 12345])
def test_copies_are_equal_and_aligned(size: int, tmp_path: Path) -> None:
    contents = mapped(tmp_path / "weights", size)
    copy = in_huge_pages(contents[64:])
    assert copy == contents[64:]
    assert np.frombuffer(copy, np.uint8).ctypes.data % 2**21 == 0
    assert copy.readonly


@pytest.mark.usefixtures("settings")
def test_few_weights_stay_in_the_file(tmp_path: Path) -> None:
    contents = mapped(tmp_path / "weights", LEAST_BYTES - 1)
    assert in_huge_pages(contents) is contents


@pytest.mark.parametrize(
    ("name", "text"), [("enabled", "always madvise [never]\n"), ("hpage_pmd_size", "unknown\n")]
)
def test_without_huge_pages_weights_stay_in_the_file(
    name: str, text: str, settings: Path, tmp_path: Path
) -> None:
    (settings / name).write_text(text)
    contents = mapped(tmp_path / "weights", LEAST_BYTES)
    assert page_size() == 0
    assert in_huge_pages(contents) is contents


def test_systems_that_say_nothing(settings: Path) -> None:
    (settings / "enabled").unlink()
    assert page_size() == 0
