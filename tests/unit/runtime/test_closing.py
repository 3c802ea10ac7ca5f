"""Networks that are closed, used in `with`, and sent to other processes."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_bundle

import niwaki
from niwaki.errors import NiwakiError
from niwaki.runtime.bundle import open_bundle, write_bundle

X = np.ones((2, 3), np.float32)


def test_closed_network_refuses(affine_path: Path) -> None:
    network = niwaki.load(affine_path)
    network.close()
    network.close()
    message = f"the network {affine_path} is closed: load it again"
    for use in (lambda: network(X), network.__enter__, lambda: pickle.dumps(network)):
        with pytest.raises(NiwakiError) as caught:
            use()
        assert str(caught.value) == message
    assert "closed" not in repr(network)
    assert network.signature.inputs[0].shape == (2, 3)


def test_with(affine_path: Path) -> None:
    with niwaki.load(affine_path) as network:
        result = network(X)
    with pytest.raises(NiwakiError, match="is closed: load it again"):
        network(X)
    np.testing.assert_allclose(result, tiny_bundle.affine(X), rtol=1e-6)
    result += 1


def test_closing_gives_threads_back(affine_path: Path) -> None:
    gc.collect()
    before = len(os.listdir("/proc/self/task"))
    network = niwaki.load(affine_path, threads=5)
    network(X)
    assert len(os.listdir("/proc/self/task")) > before
    network.close()
    gc.collect()
    assert len(os.listdir("/proc/self/task")) == before


@pytest.mark.parametrize("threads", [1, 2])
def test_closing_while_others_call(affine_path: Path, threads: int) -> None:
    network = niwaki.load(affine_path, threads)
    started = threading.Barrier(5)
    wrong: list[object] = []

    def call() -> None:
        started.wait()
        try:
            while True:
                if not np.allclose(network(X), tiny_bundle.affine(X), rtol=1e-6):
                    wrong.append("numbers")
        except NiwakiError as error:
            if "is closed" not in str(error):
                wrong.append(error)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    started.wait()
    network.close()
    for caller in callers:
        caller.join()
    assert wrong == []


def test_pickle(affine_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(affine_path.parent)
    network = niwaki.load(affine_path.name, threads=2)
    sent = pickle.dumps(network)
    assert len(sent) < 1000
    monkeypatch.chdir("/")  # the name was relative
    for other in (pickle.loads(sent), copy.copy(network)):
        assert (other.threads, other.device) == (2, "local")
        np.testing.assert_array_equal(other(X), network(X))


def test_pickled_into_another_process(affine_path: Path) -> None:
    program = "import pickle, sys; print(pickle.load(sys.stdin.buffer))"
    sent = pickle.dumps(niwaki.load(affine_path))
    done = subprocess.run([sys.executable, "-c", program], input=sent, capture_output=True)
    assert done.stdout.decode().strip() == (
        f"<Network {affine_path}: (x: 2x3xfloat32) -> (y: 2x3xfloat32)>"
    )


def test_pickled_bundle(affine_path: Path) -> None:
    bundle = open_bundle(affine_path)
    assert pickle.loads(pickle.dumps(bundle)).manifest == bundle.manifest


def test_another_file_than_the_one_that_was_pickled(tmp_path: Path) -> None:
    path = tiny_bundle.affine_bundle(tmp_path / "net.niwaki")
    sent = pickle.dumps(niwaki.load(path))
    weights = {name: array + 1 for name, array in tiny_bundle.WEIGHTS.items()}
    code = tiny_bundle.compiled(tiny_bundle.AFFINE)
    write_bundle(path, tiny_bundle.affine_manifest(), code, weights)
    with pytest.raises(NiwakiError) as caught:
        pickle.loads(sent)
    assert str(caught.value) == (
        f"{path} is another bundle than the one that was pickled: load it anew"
    )
    path.unlink()
    with pytest.raises(NiwakiError, match=r"net\.niwaki does not exist"):
        pickle.loads(sent)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((5,), "bundle is the path of a file, not 5"),
        ((None,), "bundle is the path of a file, not None"),
        (("a\0b",), "cannot read a\\x00b: no file can have a zero byte in its name"),
    ],
)
def test_wrong_path(arguments: tuple[object], message: str) -> None:
    with pytest.raises(NiwakiError) as caught:
        niwaki.load(*arguments)  # type: ignore[arg-type]
    assert str(caught.value) == message


@pytest.mark.parametrize("threads", ["4", 2.0, None, True, 0, -1])
def test_wrong_threads(threads: object, affine_path: Path) -> None:
    with pytest.raises(NiwakiError) as caught:
        niwaki.load(affine_path, threads=threads)  # type: ignore[arg-type]
    assert str(caught.value) == f"threads is a whole number from 1 on, not {threads!r}"


def test_threads_of_numpy(affine_path: Path) -> None:
    threads: Any = np.int64(2)
    assert niwaki.load(affine_path, threads).threads == 2


@pytest.mark.parametrize("device", [1, ["local"], "LOCAL"])
def test_wrong_device(device: object, affine_path: Path) -> None:
    with pytest.raises(NiwakiError, match="unknown device"):
        niwaki.load(affine_path, device=device)  # type: ignore[arg-type]
