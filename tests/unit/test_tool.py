"""Programs that this one runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from niwaki.tool import first_error, run_tool


def test_what_it_prints() -> None:
    program = (
        "import sys; print(sys.stdin.read()[::-1]); print('why', file=sys.stderr); sys.exit(3)"
    )
    done = run_tool([sys.executable, "-c", program], b"abc")
    assert (done.stdout, done.returncode, first_error(done)) == (b"cba\n", 3, "why")


def test_one_that_says_nothing() -> None:
    assert first_error(run_tool([sys.executable, "-c", "raise SystemExit(7)"])) == "exit status 7"


def test_its_temporary_files(tmp_path: Path) -> None:
    program = "import os, tempfile; print(os.path.abspath(tempfile.gettempdir()))"
    done = run_tool([sys.executable, "-c", program], scratch=tmp_path)
    assert done.stdout.decode().strip() == str(tmp_path)
    assert "TMPDIR" not in os.environ or os.environ["TMPDIR"] != str(tmp_path)


def test_no_such_program(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run_tool([tmp_path / "none"])
