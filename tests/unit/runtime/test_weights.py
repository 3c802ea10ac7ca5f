"""Bundles that others write into while they are open."""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_bundle

import niwaki
from niwaki.errors import NiwakiError
from niwaki.runtime import weights
from niwaki.runtime.bundle import open_bundle, write_bundle

X = np.ones((2, 3), np.float32)


def overwrite(path: Path, contents: bytes) -> None:
    """As `cp` does: the file stays the same, what it holds does not."""
    with path.open("r+b") as file:
        file.write(contents)
        file.truncate()


def other_weights(path: Path) -> bytes:
    """A bundle as long as `path`, of other weights."""
    other = {name: array + 1 for name, array in tiny_bundle.WEIGHTS.items()}
    copy = path.with_name("other.niwaki")
    code = tiny_bundle.compiled(tiny_bundle.AFFINE)
    write_bundle(copy, tiny_bundle.affine_manifest(), code, other)
    contents = copy.read_bytes()
    assert len(contents) == path.stat().st_size
    return contents


def shorter(path: Path) -> bytes:
    return path.read_bytes()[:100]


def empty(_: Path) -> bytes:
    return b""


CHANGES = pytest.mark.parametrize("change", [other_weights, shorter, empty])
MESSAGE = (
    "{path} was written into after it was opened: load it again; replace bundles that are in use "
    "with mv, not with cp"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tiny_bundle.affine_bundle(tmp_path / "net.niwaki")


@pytest.fixture
def mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without huge pages, whose large weights begin at one byte."""
    monkeypatch.setattr(weights, "LEAST_BYTES", 1)
    monkeypatch.setattr(weights, "huge_pages", lambda size: None)


@CHANGES
@pytest.mark.parametrize("huge", [False, True])
def test_copies_stay_what_they_are(
    change: Callable[[Path], bytes], huge: bool, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if huge:
        monkeypatch.setattr(weights, "LEAST_BYTES", 1)
    network = niwaki.load(path)
    overwrite(path, change(path))
    for _ in range(2):
        np.testing.assert_allclose(network(X), tiny_bundle.affine(X), rtol=1e-6)
    # Another caller at the same time makes a lane of its own.
    with network._turns:
        network._open_engine().idle.clear()
    np.testing.assert_allclose(network(X), tiny_bundle.affine(X), rtol=1e-6)


@CHANGES
@pytest.mark.usefixtures("mapped")
def test_mapped_weights_are_watched(change: Callable[[Path], bytes], path: Path) -> None:
    network = niwaki.load(path)
    np.testing.assert_allclose(network(X), tiny_bundle.affine(X), rtol=1e-6)
    overwrite(path, change(path))
    for _ in range(2):
        with pytest.raises(NiwakiError) as caught:
            network(X)
        assert str(caught.value) == MESSAGE.format(path=path)


@CHANGES
def test_shared_weights_are_the_file(change: Callable[[Path], bytes], path: Path) -> None:
    """Networks read one copy of them, also where they are small, and watch the file."""

    def mappings() -> int:
        return Path("/proc/self/maps").read_text().count(str(path))

    first = niwaki.load(path, share_weights=True)
    second = pickle.loads(pickle.dumps(first))
    assert mappings() == 2
    niwaki.load(path)
    assert mappings() == 2
    for network in (first, second):
        np.testing.assert_allclose(network(X), tiny_bundle.affine(X), rtol=1e-6)
    overwrite(path, change(path))
    for network in (first, second):
        with pytest.raises(NiwakiError) as caught:
            network(X)
        assert str(caught.value) == MESSAGE.format(path=path)


def test_sharing_is_yes_or_no(path: Path) -> None:
    with pytest.raises(NiwakiError, match="share_weights is True or False, not 'yes'"):
        niwaki.load(path, share_weights="yes")  # type: ignore[arg-type]


@pytest.mark.usefixtures("mapped")
def test_written_into_during_a_call(path: Path) -> None:
    network = niwaki.load(path)
    contents = other_weights(path)
    (lane,) = network._open_engine().idle

    def disturbed(*arguments: Any) -> Any:
        outputs = lane(*arguments)
        overwrite(path, contents)
        return outputs

    network._open_engine().idle[:] = [disturbed]  # type: ignore[list-item]
    with pytest.raises(NiwakiError, match="was written into after it was opened"):
        network(X)


@pytest.mark.usefixtures("mapped")
def test_times_alone_do_not_matter(path: Path) -> None:
    """Touched, renamed, given another mode, or overwritten with the same: the weights are."""
    network = niwaki.load(path)
    os.utime(path, (1, 1))
    path.chmod(0o400)
    path.rename(path.with_name("moved.niwaki"))
    overwrite(path.with_name("moved.niwaki"), path.with_name("moved.niwaki").read_bytes())
    for _ in range(2):
        np.testing.assert_allclose(network(X), tiny_bundle.affine(X), rtol=1e-6)


@pytest.mark.usefixtures("mapped")
def test_times_that_somebody_puts_back(path: Path) -> None:
    """`cp -p` gives a copy the times of what was copied."""
    network = niwaki.load(path)
    times = path.stat()
    overwrite(path, other_weights(path))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(NiwakiError, match="was written into after it was opened"):
        network(X)


@CHANGES
def test_between_opening_and_loading(change: Callable[[Path], bytes], path: Path) -> None:
    bundle = open_bundle(path)
    overwrite(path, change(path))
    with pytest.raises(NiwakiError) as caught:
        bundle.load()
    assert str(caught.value) == MESSAGE.format(path=path)
    with pytest.raises(NiwakiError) as caught:
        bundle.weights.copy_to(path.with_name("copy"))
    assert str(caught.value) == MESSAGE.format(path=path)


def test_replaced_by_renaming(path: Path) -> None:
    """Who has the old file open keeps it."""
    bundle = open_bundle(path)
    new = path.with_name("new.niwaki")
    new.write_bytes(other_weights(path))
    new.replace(path)
    np.testing.assert_allclose(bundle.load()(X), tiny_bundle.affine(X), rtol=1e-6)
    expected = X * (tiny_bundle.WEIGHTS["w"] + 1) + tiny_bundle.WEIGHTS["b"] + 1
    np.testing.assert_allclose(niwaki.load(path)(X), expected, rtol=1e-6)


def test_never_a_wrong_number(path: Path) -> None:
    """While another thread copies one bundle after the other over the file."""
    contents = [path.read_bytes(), other_weights(path)]
    right = [tiny_bundle.affine(X), X * (tiny_bundle.WEIGHTS["w"] + 1) + 1.5]
    done = threading.Event()

    def copy_over() -> None:
        while not done.is_set():
            for one in contents:
                overwrite(path, one)

    writer = threading.Thread(target=copy_over)
    writer.start()

    try:
        for _ in range(200):
            try:
                result = niwaki.load(path)(X)
            except NiwakiError:
                continue

            assert any(np.allclose(result, one, rtol=1e-6) for one in right)
    finally:
        done.set()
        writer.join()


def test_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NiwakiError) as caught:
        niwaki.load(tmp_path / "pipe")
    assert str(caught.value) == (
        f"cannot read {tmp_path / 'pipe'}: it is a pipe or a device, not a file"
    )
