"""Archives whose index says something else than what they hold."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import tiny_bundle
from damaged_bundles import WEIGHTS, members_of, with_weights

from niwaki.errors import NiwakiError
from niwaki.runtime.bundle import open_bundle

HEADER, ENTRIES, ENTRY = 88, 96, 76


@pytest.fixture(scope="module")
def archive(affine_path: Path) -> bytes:
    return members_of(affine_path)[WEIGHTS]


def told(affine_path: Path, path: Path, weights: bytes) -> str:
    """What is said of a bundle with these weights; empty if it opens."""
    try:
        open_bundle(with_weights(affine_path, path, weights))
    except NiwakiError as error:
        return str(error)
    return ""


def test_every_byte_of_the_index(affine_path: Path, archive: bytes, tmp_path: Path) -> None:
    """Whichever field it is, and whether it grows, shrinks or becomes huge."""
    path = tmp_path / "net.niwaki"
    names = slice(ENTRIES + 80 + ENTRY, ENTRIES + 80 + ENTRY + 2)
    assert archive[names] == b"wb"
    size_of_first = ENTRIES + 68  # a byte more is another parameter, whose padding is less
    for position in range(names.start):
        damaged = bytearray(archive)
        damaged[position] ^= (1, 0x80, 0xFF)[position % 3]
        if position != size_of_first:
            assert told(affine_path, path, bytes(damaged)) == (
                f"{path} is damaged: the index of its weights contradicts itself; "
                "compile the model again"
            ), position


@pytest.mark.parametrize("size", [0, 1, HEADER - 1, HEADER, ENTRIES + ENTRY, -25, -1])
def test_truncated(size: int, affine_path: Path, archive: bytes, tmp_path: Path) -> None:
    assert "contradicts itself" in told(affine_path, tmp_path / "net.niwaki", archive[:size])


def test_bytes_too_many(affine_path: Path, archive: bytes, tmp_path: Path) -> None:
    assert "contradicts itself" in told(affine_path, tmp_path / "net.niwaki", archive + b"\0")


def test_two_parameters_of_one_name(affine_path: Path, archive: bytes, tmp_path: Path) -> None:
    doubled = archive.replace(b"wb", b"ww")
    assert "contradicts itself" in told(affine_path, tmp_path / "net.niwaki", doubled)


def test_cut_off_anywhere(affine_path: Path, archive: bytes, tmp_path: Path) -> None:
    """Also where the header says that nothing comes after the cut."""
    path = tmp_path / "net.niwaki"
    for size in range(HEADER, ENTRIES + 80 + ENTRY + 3):
        cut = bytearray(archive[:size])
        struct.pack_into("<Q", cut, 72, size)  # where values begin
        assert "contradicts itself" in told(affine_path, path, bytes(cut)), size


@pytest.mark.parametrize("count", [2**64 - 1, 2**32, 3, 0])
def test_number_of_entries(count: int, affine_path: Path, archive: bytes, tmp_path: Path) -> None:
    damaged = bytearray(archive)
    struct.pack_into("<Q", damaged, 32, count)
    assert "contradicts itself" in told(affine_path, tmp_path / "net.niwaki", bytes(damaged))


def test_sound_archive_of_another_network(affine_path: Path, tmp_path: Path) -> None:
    """It opens, and IREE says what is missing."""
    import niwaki
    from niwaki.runtime.parameter_archive import archive

    short = {**tiny_bundle.WEIGHTS, "b": tiny_bundle.WEIGHTS["b"][:1]}
    for weights in ({}, short):
        path = with_weights(affine_path, tmp_path / "net.niwaki", b"".join(archive(weights)))
        assert open_bundle(path).layers
        with pytest.raises(NiwakiError, match="cannot load the module that Niwaki") as caught:
            niwaki.load(path)
        assert "\n" not in str(caught.value)
