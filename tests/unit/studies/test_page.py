"""The page of a study: all of the front, the chosen network, and no markup of others."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from phone_screen import probed
from search_functions import SPACE, limit, score

import niwaki
from niwaki.errors import NiwakiError
from niwaki.studies import Choice, Results, Trial
from niwaki.studies.front_plot import Axis, front_plot
from niwaki.studies.page import write_page

EVIL = "</title><script>alert(1)</script>\x1b[2J"


class Rows(HTMLParser):
    """Cells of the table, and the text of elements by the id they are within."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())
        if self.rows and self.rows[-1] and self.tags[-1] in ("td", "th"):
            self.rows[-1][-1] += data.strip()


def searched(tmp_path: Path, **options: Any) -> tuple[Results, Rows]:
    path = tmp_path / "page.html"
    found = niwaki.search(SPACE, None, score, trials=20, page=path, **options)
    return found, Rows(path.read_text())


def test_table_is_the_front(tmp_path: Path) -> None:
    found, page = searched(tmp_path, limits=[limit(None)])
    head, *rows = page.rows
    assert head == ["trial", "score", "ms", "width", "kind", "rate"]
    assert [row[0] for row in rows] == [str(trial.number) for trial in found.front]
    assert [row[4] for row in rows] == [trial.point["kind"] for trial in found.front]
    assert page.tags.count("circle") == 20


def test_chosen_network(tmp_path: Path) -> None:
    layers = [("conv1", "16 filters", 0.5), ("conv2", "32 filters", 1.0)]
    found, page = searched(tmp_path, limits=[limit(6)], describe=lambda point: layers)
    assert {"conv1", "16 filters", "conv2", "32 filters"} <= set(page.texts)
    assert f"Trial {found.best.number}. A bar is as long as its layer is wide." in page.texts
    assert "limit 6" in page.texts


def test_without_limits(tmp_path: Path) -> None:
    _, page = searched(tmp_path)
    assert page.rows[0] == ["trial", "score", "width", "kind", "rate"]
    assert len(page.rows) == 2


def test_loads_nothing(tmp_path: Path) -> None:
    searched(tmp_path)
    text = (tmp_path / "page.html").read_text()
    assert re.findall(r"https?:|url\(|src=|@import", text) == []


PROBE = """<iframe width="360" height="2000" srcdoc="{page}"></iframe><script>
onload = () => {{
  const shown = document.querySelector("iframe").contentDocument;
  const text = shown.querySelector("svg text").getBoundingClientRect();
  const result = [shown.documentElement.scrollWidth, text.height];
  document.body.innerHTML = "";
  document.body.append(JSON.stringify(result));
}};
</script>"""


@pytest.mark.requires_chromium
def test_fits_a_phone(tmp_path: Path) -> None:
    """Nothing but the table scrolls sideways, and what stands in the picture can be read."""
    space = {f"a dimension with a name {i}": Choice(1, 2) for i in range(30)}
    path = tmp_path / "page.html"
    niwaki.search(space, None, lambda point: 1.0, trials=3, page=path)
    width, letters = probed(path.read_text(), PROBE, tmp_path)
    assert width <= 360
    assert letters > 10


def test_names_are_no_markup(tmp_path: Path) -> None:
    trials = (
        Trial(0, {EVIL: EVIL}, {EVIL: 1.0}, {EVIL: 0.5}, "", 1.0),
        Trial(1, {EVIL: EVIL}, {EVIL: 1.0}, {}, EVIL, 1.0),
    )
    write_page(Results(trials, 0, {EVIL: 2.0}), tmp_path / "p.html", lambda p: [(EVIL, EVIL, 1)])
    text = (tmp_path / "p.html").read_text()
    assert "<script" not in text
    assert "\x1b" not in text
    assert text.count("&lt;script&gt;") > 8


@pytest.mark.parametrize(
    ("layers", "reason"),
    [(5, "TypeError"), ([("conv", 5)], "ValueError"), ([("conv", "x", "wide")], "ValueError")],
)
def test_describe_fails(layers: Any, reason: str, tmp_path: Path) -> None:
    """The results are not lost: the page says why there is no picture."""
    _, page = searched(tmp_path, describe=lambda point: layers)
    (told,) = [text for text in page.texts if text.startswith("raised ")]
    assert told.startswith(f"raised {reason}: ")
    assert len(page.rows) == 2


def test_page_cannot_be_written(tmp_path: Path) -> None:
    """Told before anything is tried."""
    path = tmp_path / "none" / "page.html"

    def never(point: object) -> float:
        raise AssertionError

    with pytest.raises(NiwakiError, match=f"^cannot write {path}: folder .* does not exist"):
        niwaki.search(SPACE, None, never, page=path)


def test_packages_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(NiwakiError, match=r"^reports need Jinja2 and Matplotlib: "):
        searched(tmp_path)


@pytest.mark.parametrize(
    ("numbers", "ticks"),
    [
        ([0.0, 1.0], [0, 0.5, 1]),
        ([0.71, 0.78], [0.72, 0.74, 0.76, 0.78]),
        ([12.0, 470.0], [0, 200, 400]),
        ([5.0], [4.8, 5.0, 5.2]),
        ([0.0], [-0.05, 0, 0.05]),
    ],
)
def test_ticks(numbers: list[float], ticks: list[float]) -> None:
    axis = Axis(numbers, 100, 0)
    assert axis.ticks() == pytest.approx(ticks, abs=1e-12)
    assert all(0 < axis(number) < 100 for number in numbers)


def test_stairs_go_up(tmp_path: Path) -> None:
    found = niwaki.search(SPACE, None, score, [limit(None)], trials=30)
    (path,) = re.findall(r'class="front" d="(.+)"', front_plot(found))
    steps = [tuple(map(float, step.split("V"))) for step in path.split("H")[1:]]
    assert len(steps) == len(found.front) - 1
    assert steps == sorted(steps, key=lambda step: (step[0], -step[1]))
