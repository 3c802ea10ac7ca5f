"""The clock that networks are timed by for a limit."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

from niwaki.runtime import beside
from niwaki.time_limit import clock

SMALL = "the small network"
# Seconds of a call while the machine is at its pace; how much longer it takes by and by.
SECONDS = {SMALL: 2e-4, "network": 3e-3, "faster": 1e-3}


@pytest.fixture
def slowness(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """A machine whose calls all take so many times longer than at its pace."""
    slow = [1.0]

    @contextmanager
    def small_network() -> Iterator[str]:
        yield SMALL

    monkeypatch.setattr(clock, "_small_network", small_network)
    monkeypatch.setattr(clock, "PAUSE", 0.0)
    monkeypatch.setattr(beside, "seconds_of", lambda bundle: slow[0] * SECONDS[bundle])
    monkeypatch.setattr(beside, "share_of", lambda one, other: SECONDS[one] / SECONDS[other])
    clock.pace.cache_clear()
    yield slow
    clock.pace.cache_clear()


def test_what_the_machine_does_meanwhile_does_not_count(slowness: list[float]) -> None:
    with clock.steady_clock() as seconds_of:
        assert seconds_of("network") == pytest.approx(3e-3)  # type: ignore[arg-type]
        slowness[0] = 1.1
        assert seconds_of("faster") == pytest.approx(1e-3)  # type: ignore[arg-type]


def test_a_process_has_one_pace(slowness: list[float]) -> None:
    """What one call tells can be compared with what another told before."""
    with clock.steady_clock() as first:
        before = first("network")  # type: ignore[arg-type]
    slowness[0] = 1.1
    with clock.steady_clock() as second:
        assert second("network") == before  # type: ignore[arg-type]


def test_the_pace_is_the_middle_of_many_looks(
    slowness: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([1.0, *[2e-4] * (clock.LOOKS - 2), 1e-9])
    monkeypatch.setattr(beside, "seconds_of", lambda bundle: next(times))
    assert clock.pace() == 2e-4


def test_the_small_network_draws_no_numbers_of_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded: list[int] = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    torch.random.default_generator.manual_seed(3)
    wanted = torch.rand(4)
    torch.random.default_generator.manual_seed(3)
    with clock._small_network() as bundle:
        assert bundle.manifest.driver == "local"
    assert torch.equal(torch.rand(4), wanted)
    assert not seeded


def test_the_small_network_is_the_same_whatever_the_defaults_are() -> None:
    def found() -> tuple[str, int]:
        with clock._small_network() as bundle:
            (spec,) = bundle.manifest.signature.inputs
            return spec.dtype, sum(layer.multiply_adds for layer in bundle.layers)

    plain = found()
    with torch.device("meta"):
        assert found() == plain
    torch.set_default_dtype(torch.float64)
    try:
        assert found() == plain
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_full_disk_of_the_users_is_not_that_of_temporary_files() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "run.ckpt")
    with pytest.raises(OSError, match=r"run\.ckpt"), clock.steady_clock():
        raise full
