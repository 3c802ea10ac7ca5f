"""What cannot be tuned is refused at once, in one line."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from niwaki import NiwakiError, Tuning


def test_host_can_be_tuned() -> None:
    Tuning().check("host")


def test_other_targets() -> None:
    told = "^tuning runs kernels on this machine, and cannot for target 'arm64': use target host, "
    with pytest.raises(NiwakiError, match=told):
        Tuning().check("arm64")


def test_no_trials() -> None:
    with pytest.raises(NiwakiError, match=r"^tuning needs at least 1 trial .*, not 0$"):
        Tuning(trials=0).check("host")


def test_times_of_a_device() -> None:
    """Nothing is measured, so that any target will do, and no other setting."""
    Tuning(device_times=(Path("times.json"),)).check("arm64-android")
    with pytest.raises(NiwakiError, match=r"^tuning by device_times measures nothing: leave the"):
        Tuning(trials=3, device_times=(Path("times.json"),)).check("host")


@pytest.mark.parametrize(
    ("package", "tuning", "message"),
    [
        ("optuna", Tuning(), "tuning needs Optuna: pip install 'niwaki[tune]'"),
        (
            "ray",
            Tuning(workers="ray://head:10001"),
            "tuning on other machines needs Ray: pip install 'niwaki[ray]'",
        ),
    ],
)
def test_missing_package(
    package: str, tuning: Tuning, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(NiwakiError, match=f"^{re.escape(message)}$"):
        tuning.check("host")
