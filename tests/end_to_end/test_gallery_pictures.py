"""Applications that make pictures, from data to the page, with next to no training."""

from __future__ import annotations

from pathlib import Path

import pytest
from drawn_photographs import write_photographs
from gallery import run
from gallery.application import Application
from gallery.applications import APPLICATIONS
from gallery.colour import COLOUR
from gallery.enlarge import ENLARGE
from gallery.results import read_result
from gallery.style import STYLE


@pytest.mark.parametrize("has_data", [True, False], ids=["photographs", "drawn alone"])
@pytest.mark.parametrize("application", [STYLE, COLOUR, ENLARGE], ids=lambda one: str(one.name))
def test_application_is_made(
    application: Application, has_data: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "CALLS", 1)
    data = tmp_path / "data" if has_data else None
    if data:
        write_photographs(data, size=128)
    assert application in APPLICATIONS
    page = run.make_gallery([application], tmp_path, data, effort=1e-6)
    result = read_result(tmp_path / application.name)
    assert result is not None
    pruned, all_weights = (
        int(word.replace(",", "")) for word in result.facts["weights kept"].split()[:3:2]
    )
    assert all_weights / application.rate < pruned < all_weights / (application.rate - 2)
    assert all(row[1] and row[2] for row in result.rows)
    assert page.read_text().count("data:image/png") == len(result.pictures)
