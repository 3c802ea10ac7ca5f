"""Tables of text: columns, what is shortened, and how much of a terminal they take."""

from __future__ import annotations

import sys

import pytest

from niwaki.text_table import Column, line_width, shortened, text_table, wrapped

COLUMNS = (Column("layer"), Column("kept", number=True), Column("note"))
TWO = (Column("layer"), Column("op"))
LONG = "features.stage_3.block_12.downsample.convolution"  # 48 letters


def test_columns_without_cells_are_left_out() -> None:
    assert text_table(COLUMNS, [("a", "1", ""), ("bc", "23", "")]) == [
        "layer  kept",
        "-----------",
        "a         1",
        "bc       23",
    ]
    assert text_table(COLUMNS, []) == ["layer  kept  note", "-----------------"]


def test_the_widest_columns_are_shortened() -> None:
    lines = text_table(COLUMNS, [(LONG, "12345678901234567890", "short")], width=60)
    assert lines[2] == "features.stage..ple.convolution  12345678901234567890  short"
    assert max(map(len, lines)) == 60


@pytest.mark.parametrize(("columns", "widest"), [(40, 40), (80, 80), (97, 80), (98, 98)])
def test_terminals(monkeypatch: pytest.MonkeyPatch, columns: int, widest: int) -> None:
    """A wide one is used where all fits, and only then; a narrow one is not exceeded."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    assert max(map(len, text_table(TWO, [(LONG, LONG)]))) == widest


def test_files_do_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert max(map(len, text_table(TWO, [(LONG, LONG)]))) == 80


def test_shortened() -> None:
    assert shortened("layer1.0.conv1", 14) == "layer1.0.conv1"
    assert shortened("layer1.0.conv1", 10) == "laye..onv1"
    assert shortened("layer1.0.conv1", 9) == "lay..onv1"


def test_nothing_reaches_the_terminal_as_a_command() -> None:
    assert text_table(TWO[:1], [("a\x1b[2J\r\nb",)])[2] == "a\\x1b[2J\\r\\nb"
    assert wrapped("\x07 bell") == "\\x07 bell"


def test_a_process_without_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert line_width() == 80
