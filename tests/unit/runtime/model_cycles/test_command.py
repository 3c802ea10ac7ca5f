"""What `niwaki bench --emulate` says before anything is emulated."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from niwaki.cli import main


def bench(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["bench", *map(str, arguments)])


def test_unknown_core_is_one_line(affine_path: Path) -> None:
    result = bench(affine_path, "--emulate", "m4")
    assert (result.exit_code, result.stderr) == (
        1,
        "error: no model of core 'm4': choose one of a76\n",
    )


def test_bundle_for_this_machine_is_refused_in_one_line(affine_path: Path) -> None:
    result = bench(affine_path, "--emulate", "a76")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert result.stderr.endswith("compile the model with --target arm64-android\n")


@pytest.mark.parametrize("option", [("--layers",), ("--threads", "2")])
def test_options_of_times_are_refused(affine_path: Path, option: tuple[str, ...]) -> None:
    result = bench(affine_path, "--emulate", "a76", *option)
    assert result.exit_code == 2
    assert "--emulate counts all layers on one thread" in result.stderr
