"""Making the gallery: an application is run and kept; the page."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from gallery import run
from gallery.application import Application, Work
from gallery.results import read_result
from phone_screen import probed
from PIL import Image
from repository import ROOT
from tiny_application import FILM_FRAMES, make, tiny

PROBE = """<iframe width="360" height="3000" srcdoc="{page}"></iframe><script>
onload = () => {{
  const shown = document.querySelector("iframe").contentDocument;
  const images = [...shown.images].map(one => one.naturalWidth);
  const result = [shown.documentElement.scrollWidth, images];
  document.body.innerHTML = "";
  document.body.append(JSON.stringify(result));
}};
</script>"""


@pytest.fixture
def only_tiny(monkeypatch: pytest.MonkeyPatch) -> Application:
    application = tiny()
    monkeypatch.setattr(run, "APPLICATIONS", (application,))
    return application


def test_application_is_made_and_kept(only_tiny: Application, tmp_path: Path) -> None:
    page = run.make_gallery([only_tiny], tmp_path, None, 0.5)
    folder = tmp_path / "tiny"
    assert (folder / "trained").read_text() == "50"
    result = read_result(folder)
    assert result is not None
    assert list(result.milliseconds)[1:] == ["dense, Niwaki", "pruned 8x, Niwaki"]
    assert min(result.milliseconds.values()) > 0
    assert result.facts["weights kept"] == "144 of 1,152 (12.5%)"
    network, example = make(Work(tmp_path), True)
    wanted = float(network(example).detach().abs().sum())
    assert float(result.rows[0][2]) == pytest.approx(wanted, rel=1e-4)
    with Image.open(folder / "picture2.webp") as film:
        assert getattr(film, "n_frames", 1) == FILM_FRAMES
    text = page.read_text()
    assert text.count("<article") == 1
    assert "It does &lt;nothing&gt;." in text
    assert text.count("data:image/png;base64,") == text.count("data:image/webp;base64,") == 1
    assert "0.5 of the usual effort" in text
    assert re.findall(r"https?:|url\(|@import", text) == []


def test_times_are_taken_again(
    only_tiny: Application, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run.make_gallery([only_tiny], tmp_path, None, 1, only_times=True)
    assert "tiny: left out: it was not made yet" in capsys.readouterr().out
    run.make_gallery([only_tiny], tmp_path, None, 1)
    (tmp_path / "tiny" / "trained").unlink()
    before = read_result(tmp_path / "tiny")
    run.make_gallery([only_tiny], tmp_path, None, 1, only_times=True)
    after = read_result(tmp_path / "tiny")
    assert before is not None
    assert after is not None
    assert not (tmp_path / "tiny" / "trained").exists()
    assert before.milliseconds != after.milliseconds
    assert before.rows == after.rows


def test_rows_in_lines() -> None:
    assert run.told("mAP", "72 %", "71 %") == "mAP: 72 % dense, 71 % pruned"
    assert run.told("told alike", "", "85 %") == "told alike: 85 % pruned"


def test_pytorch_runs_dense_without_onnxruntime(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "in_onnxruntime", lambda network, example: None)
    network, example = make(Work(tmp_path), False)
    engine, answer = run.elsewhere(network, example)
    assert engine == "PyTorch"
    torch.testing.assert_close(torch.from_numpy(answer(example.numpy())), network(example))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--only", "nothing"], "error: no application 'nothing': there are "),
        (["--effort", "0"], "error: --effort is above 0, not 0"),
        (["--data", "nowhere"], "error: no data: nowhere is no folder"),
    ],
)
def test_mistakes(options: list[str], message: str, tmp_path: Path) -> None:
    program = ROOT / "examples" / "gallery" / "run.py"
    done = subprocess.run(
        [sys.executable, program, *options], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1


@pytest.mark.requires_chromium
def test_page_fits_a_phone(only_tiny: Application, tmp_path: Path) -> None:
    """Nothing is wider than the screen, and all pictures are shown."""
    page = run.make_gallery([only_tiny], tmp_path, None, 1).read_text()
    page = page.replace('loading="lazy"', "")
    width, images = probed(page, PROBE, tmp_path)
    assert width <= 360
    assert images == [30, 30]
