"""A bundle for several targets runs what is right on this device; faults are planted."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_bundle

from niwaki.errors import NiwakiError, NiwakiWarning
from niwaki.runtime import self_check
from niwaki.runtime.bundle import Bundle, Compiled, open_bundle, write_bundle
from niwaki.runtime.golden import Golden
from niwaki.runtime.network import Network, load
from niwaki.runtime.self_check import best_part
from niwaki.runtime.user_cache import cache_place

X = np.arange(6, dtype=np.float32).reshape(2, 3)
Y = tiny_bundle.affine(X)
# What a part gives in two calls, and the seconds of the last.
Result = tuple[list[np.ndarray], float]


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """For three targets, of which names alone count."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    code, manifest = tiny_bundle.compiled(tiny_bundle.AFFINE, "host"), tiny_bundle.affine_manifest()
    others = [
        Compiled(replace(manifest, target=name), code + name.encode(), tiny_bundle.WEIGHTS)
        for name in ("x86-64-v3", "x86-64-v4")
    ]
    path = tmp_path / "net.niwaki"
    write_bundle(path, manifest, code, tiny_bundle.WEIGHTS, others, Golden([X], [Y], [0.0]))
    return open_bundle(path)


def runner(results: dict[str, Result | Exception]) -> Callable[..., tuple[list[Any], float]]:
    """Parts that give such results."""

    def run(part: Bundle, golden: Golden, calls: int) -> tuple[list[list[np.ndarray]], float]:
        result = results.pop(part.manifest.target)
        if isinstance(result, Exception):
            raise result
        outputs, seconds = result
        assert len(outputs) == calls
        return [[output] for output in outputs], seconds

    return run


def best(bundle: Bundle, results: dict[str, Result | Exception]) -> str:
    golden = bundle.golden
    assert golden is not None
    return best_part(bundle, bundle.parts, golden, runner(results)).manifest.target


def test_the_fastest_part_that_is_right(bundle: Bundle) -> None:
    results = {"host": ([Y, Y], 3.0), "x86-64-v3": ([Y, Y], 1.0), "x86-64-v4": ([Y, Y], 2.0)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert best(bundle, dict(results)) == "x86-64-v3"
        # What was found is kept: nothing runs again.
        assert best(bundle, {}) == "x86-64-v3"


FAULTS: dict[str, tuple[Result | Exception, str]] = {
    "wrong shader": (([Y + 1, Y + 1], 0.1), "output y is off by 1 where numbers reach"),
    "wrong now and then": (([Y, Y + 1], 0.1), "output y is off by 1 where numbers reach"),
    "not repeatable": (([Y, Y * np.float32(1.001)], 0.1), "gives other results when it runs again"),
    "no numbers": (([Y * np.nan, Y * np.nan], 0.1), "not finite where it should be"),
    "lost device": (RuntimeError("VK_ERROR_DEVICE_LOST\ndetails"), "fails: VK_ERROR_DEVICE_LOST"),
    "our own error": (NiwakiError("net: no memory"), "fails: net: no memory"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(bundle: Bundle, fault: str) -> None:
    result, told = FAULTS[fault]
    results: dict[str, Result | Exception]
    results = {"host": result, "x86-64-v3": ([Y, Y], 1.0), "x86-64-v4": ([Y, Y], 2.0)}
    with pytest.warns(NiwakiWarning) as warned:
        assert best(bundle, results) == "x86-64-v3"
    (line,) = [str(one.message) for one in warned]
    assert "\n" not in line
    assert "the code for host is not used" in line
    assert told in line
    assert "code for x86-64-v3 or x86-64-v4 runs instead" in line
    with warnings.catch_warnings():  # once
        warnings.simplefilter("error")
        assert best(bundle, {}) == "x86-64-v3"


def test_no_part_is_right(bundle: Bundle) -> None:
    wrong = ([Y + 1, Y + 1], 1.0)
    with pytest.raises(NiwakiError) as caught:
        best(bundle, {"host": wrong, "x86-64-v3": wrong, "x86-64-v4": RuntimeError("lost")})
    line = str(caught.value)
    assert "does not compute on this machine what its model does (host: output y is off" in line
    assert "x86-64-v4: fails: lost); compile it for another target, and please report" in line


def test_what_failed_once_may_be_right_later(bundle: Bundle) -> None:
    """A machine that had no memory left: a verdict must not close a bundle for ever."""
    failing = dict.fromkeys(("host", "x86-64-v3", "x86-64-v4"), MemoryError())
    with pytest.raises(NiwakiError, match=r"\(host: fails: MemoryError; "):
        best(bundle, dict(failing))
    assert best(bundle, dict.fromkeys(failing, ([Y, Y], 1.0))) == "host"
    assert best(bundle, {}) == "host"


def test_users_without_a_home(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", no_home)
    results = {"host": ([Y, Y], 1.0), "x86-64-v3": ([Y, Y], 2.0), "x86-64-v4": ([Y, Y], 3.0)}
    assert best(bundle, dict(results)) == "host"
    with pytest.raises(NiwakiError, match="has no home folder: set XDG_CACHE_HOME"):
        cache_place("checks")


def test_pickled_parts_stay_what_they_are(bundle: Bundle) -> None:
    targets = [part.manifest.target for part in bundle.parts]
    assert [part.manifest.target for part in copied(bundle).parts] == targets
    for target in targets:
        alone = copied(bundle.for_target(target))
        assert [part.manifest.target for part in alone.parts] == [target]
        with Network.of_part(bundle.for_target(target)) as network:
            state = network.__reduce__()
        assert state[1][0].manifest.target == target


def test_pickled_networks_keep_the_device_that_was_asked_for(bundle: Bundle) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NiwakiWarning)
        for device in (None, "local"):
            assert load(bundle.path, device=device).__reduce__()[1][1:] == (1, device, False)


def copied(bundle: Bundle) -> Bundle:
    found = pickle.loads(pickle.dumps(bundle))
    assert isinstance(found, Bundle)
    return found


def test_without_a_cache_the_check_is_repeated(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    for seconds in (1.0, 3.0):
        results = {"host": ([Y, Y], 2.0), "x86-64-v3": ([Y, Y], seconds)}
        wanted = "x86-64-v3" if seconds < 2 else "host"
        assert best(bundle, {**results, "x86-64-v4": ([Y, Y], 9.0)}) == wanted


def test_damaged_verdicts_are_made_anew(bundle: Bundle, tmp_path: Path) -> None:
    results = {"host": ([Y, Y], 1.0), "x86-64-v3": ([Y, Y], 2.0), "x86-64-v4": ([Y, Y], 3.0)}
    assert best(bundle, dict(results)) == "host"
    for place in (tmp_path / "cache").rglob("*.json"):
        place.write_text("{}")
    assert best(bundle, dict(results)) == "host"


def test_loading_checks_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundle: Bundle
) -> None:
    """The real thing: the host's own code, with planted parts that fail to load."""
    calls: list[str] = []
    run_part = self_check.run_part

    def counted(part: Bundle, golden: Golden, count: int) -> tuple[list[Any], float]:
        calls.append(part.manifest.target)
        return run_part(part, golden, count)

    monkeypatch.setattr("niwaki.runtime.parts.run_part", counted)
    for _ in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NiwakiWarning)
            network = load(bundle.path)
        assert network.part.manifest.target in ("host", "x86-64-v3", "x86-64-v4")
        assert np.array_equal(network(X), Y)
    assert calls == [*dict.fromkeys(calls)]
    assert calls[0] == "host"


KILLER = """
import os, signal, sys
from niwaki.runtime.bundle import open_bundle
from niwaki.runtime.self_check import best_part

def run(part, golden, calls):
    if part.manifest.target == "host":
        print("checking", flush=True)
        {act}
    return [[golden.outputs[0]]] * calls, 1.0

bundle = open_bundle(sys.argv[1])
print(best_part(bundle, bundle.parts, bundle.golden, run).manifest.target)
"""


def other_process(bundle: Bundle, act: str) -> subprocess.Popen[str]:
    """A process that checks the bundle, and does this meanwhile."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", KILLER.format(act=act), str(bundle.path)]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_a_driver_that_ends_the_process(bundle: Bundle) -> None:
    """It may do so twice; then the code for others runs, and the user is told."""
    for _ in range(2):
        process = other_process(bundle, "os.kill(os.getpid(), signal.SIGKILL)")
        assert process.communicate()[0] == "checking\n"
        assert process.returncode == -signal.SIGKILL
    process = other_process(bundle, "os.kill(os.getpid(), signal.SIGKILL)")
    printed, told = process.communicate()
    assert printed == "x86-64-v3\n"
    assert "code for host is not used: ended the process that checked it, 2 times" in told
    with warnings.catch_warnings():  # once
        warnings.simplefilter("error")
        assert best(bundle, {}) == "x86-64-v3"


def test_processes_that_check_at_the_same_time(bundle: Bundle) -> None:
    """None takes another that is not done yet for one that was ended."""
    waiting = [other_process(bundle, "sys.stdin.readline()") for _ in range(3)]
    for process in waiting:
        assert process.stdout is not None
        assert process.stdout.readline() == "checking\n"
    results: dict[str, Result | Exception]
    results = {"host": ([Y, Y], 1.0), "x86-64-v3": ([Y, Y], 2.0), "x86-64-v4": ([Y, Y], 3.0)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert best(bundle, results) == "host"
    for process in waiting:
        process.kill()
        process.communicate()
