"""The public names of the package."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

import niwaki


def test_public_names() -> None:
    from niwaki.errors import NiwakiError
    from niwaki.runtime.network import load

    assert niwaki.NiwakiError is NiwakiError
    assert niwaki.load is load
    assert niwaki.__version__ == version("niwaki")
    assert set(niwaki.__all__) <= set(dir(niwaki))


def test_no_such_name() -> None:
    with pytest.raises(AttributeError, match=r"^module 'niwaki' has no attribute 'grow'$"):
        niwaki.grow  # noqa: B018


def test_other_systems() -> None:
    code = "import sys; sys.platform = 'win32'; import niwaki"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: Niwaki runs on Linux and macOS: on Windows, install it within WSL"
    )


def test_import_is_light() -> None:
    code = "import sys, niwaki; print(*{'numpy', 'iree', 'rich', 'click'} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == []
