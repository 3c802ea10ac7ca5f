"""Options of examples are read before any work is done, and wrong ones are told in one line."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest
from mistakes import above, at_least

SEARCH = Path(__file__).resolve().parents[2] / "examples" / "search"


def test_numbers_are_read() -> None:
    assert at_least(1)("12") == 12
    assert at_least(-2)("-2") == -2
    assert above(0)("1e-3") == 0.001


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "", "²"])
def test_whole_numbers_out_of_range(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"^a whole number from 1 on, not "):
        at_least(1)(text)


@pytest.mark.parametrize("text", ["0", "-0.1", "inf", "nan", "fast", ""])
def test_numbers_out_of_range(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"^a number above 0, not "):
        above(0)(text)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["energy.py", "residual", "--trials", "0"], "--trials: a whole number from 1 on, not 0"),
        (["mapping.py", "fashion", "--images", "0"], "--images: a whole number from 1 on, not 0"),
        (["text.py", "--target-ms", "-1"], "--target-ms: a number above 0, not -1"),
        (
            ["super_resolution.py", "--hand-made", "16"],
            "A or B, channels x blocks, and a rate if pruned, as B16x2 or A16x3-8x, not 16",
        ),
        (["cooperative.py", "--scheme", "blob"], "error: unknown pruning scheme 'blob'"),
        (["energy.py", "residual", "--data", "nowhere"], "error: no data: nowhere is no folder"),
    ],
)
def test_wrong_options_of_searches(arguments: list[str], told: str) -> None:
    done = subprocess.run(
        [sys.executable, str(SEARCH / arguments[0]), *arguments[1:]],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert told in done.stderr.splitlines()[-1]
