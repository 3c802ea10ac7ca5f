"""What is said where packages of an extra are not installed."""

from __future__ import annotations

import re
import sys

import pytest

from niwaki.errors import NiwakiError
from niwaki.extras import EXTRAS, is_installed, require

HERE = ("Linux", "x86_64")


def on(monkeypatch: pytest.MonkeyPatch, system: str, machine: str) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)


@pytest.mark.parametrize(
    ("extra", "module"), [(name, module) for name in EXTRAS for module in EXTRAS[name].modules]
)
def test_remedy(extra: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each module that is missing leads to the extra that brings it."""
    on(monkeypatch, *HERE)
    monkeypatch.setitem(sys.modules, module, None)
    told = f"{EXTRAS[extra].purpose}: pip install 'niwaki[{extra}]'"
    with pytest.raises(NiwakiError, match=f"^{re.escape(told)}$"):
        require(extra)
    assert not is_installed(extra)


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        (
            "compile",
            "compiling needs PyTorch and the compilers, and there are no packages of that for "
            "x86_64 Darwin: compile on x86-64 Linux with --target, and copy the bundle here",
        ),
        (
            "prune",
            "pruning needs PyTorch, and there are no packages of that for x86_64 Darwin: "
            "prune on x86-64 Linux, and copy the weights here",
        ),
        ("report", "reports need Jinja2 and Matplotlib: pip install 'niwaki[report]'"),
    ],
)
def test_machine_without_packages(extra: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, "Darwin", "x86_64")
    monkeypatch.setitem(sys.modules, EXTRAS[extra].modules[0], None)
    with pytest.raises(NiwakiError, match=f"^{re.escape(told)}$"):
        require(extra)


@pytest.mark.parametrize("extra", ["compile", "prune", "tune", "report"])
def test_what_is_installed_is_enough(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine: somebody may have built the packages."""
    on(monkeypatch, "Plan9", "vax")
    require(extra)
    assert is_installed(extra)
