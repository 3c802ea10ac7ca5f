"""The gallery's own applications, trained for some steps: networks, results and a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from gallery import clips, detector, run
from gallery.application import Application, Work
from gallery.applications import APPLICATIONS
from gallery.clips import CLIPS
from gallery.detector import DETECTOR, LEFT_DENSE
from gallery.results import read_result
from gallery.training import Budget
from gallery.video import VIDEO
from PIL import Image
from safetensors.torch import load_file

EFFORT = 0.004  # one step an epoch, one test or two


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch is at hand at once; ONNX Runtime would have to be given the network."""
    monkeypatch.setattr(run, "CALLS", 2)
    for application in (clips, detector):
        monkeypatch.setattr(application, "DENSE_BUDGET", Budget(2, 50, 1e-3))
        monkeypatch.setattr(application, "PRUNED_BUDGET", Budget(2, 50, 1e-3))
    monkeypatch.setattr(detector, "RETRAINED_BUDGET", Budget(1, 50, 1e-3))
    monkeypatch.setattr(run, "in_onnxruntime", lambda network, example: None)


def convolutions(file: Path) -> dict[str, torch.Tensor]:
    return {name: weight for name, weight in load_file(file).items() if weight.dim() > 3}


def check_pruned(folder: Path, dense: tuple[str, ...]) -> None:
    """Weights are dense, and one of eight in all layers of the pruned network but some."""
    whole, pruned = (convolutions(folder / f"{name}.safetensors") for name in ("dense", "pruned"))
    assert all(float((weight != 0).float().mean()) > 0.98 for weight in whole.values())
    for name, weight in pruned.items():
        kept = float((weight != 0).float().mean())
        assert kept > 0.98 if name.removesuffix(".weight") in dense else kept < 0.2, name


def test_detector_and_its_film(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = run.make_gallery([DETECTOR, VIDEO], tmp_path, None, EFFORT)
    check_pruned(tmp_path / "detector", LEFT_DENSE)
    assert capsys.readouterr().out.count("training the") == 3  # the film has the same networks
    things, film = (read_result(tmp_path / name) for name in ("detector", "video"))
    assert things is not None
    assert film is not None
    for result in (things, film):
        assert next(iter(result.milliseconds)) == "dense, PyTorch"
        assert result.facts["input"] == "1x3x320x320"
        assert result.ratio > 0
    assert [row[0] for row in things.rows] == ["mAP at IoU 0.5, %", "mAP at IoU 0.75, %"]
    assert all(0 <= float(share) <= 100 for row in things.rows for share in row[1:])
    with Image.open(tmp_path / "detector" / things.pictures[0].file) as picture:
        assert picture.size == (640, 320)
    text = page.read_text()
    assert re.findall(r'<article id="(\w+)"', text) == ["detector", "video"]
    assert text.count("<figure>") == len(things.pictures) + len(film.pictures)


def test_clips(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run.make_gallery([CLIPS], tmp_path, None, EFFORT)
    check_pruned(tmp_path / "clips", ("stem.0",))
    result = read_result(tmp_path / "clips")
    assert result is not None
    assert result.rows[0][0] == "clips told right"
    capsys.readouterr()
    run.make_gallery([CLIPS], tmp_path, None, EFFORT)
    assert "training" not in capsys.readouterr().out


def test_training_goes_on_where_it_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second epoch is killed; what comes of going on is what an unbroken run gives."""
    folders = [tmp_path / name for name in ("whole", "broken")]
    works = []
    for folder in folders:
        folder.mkdir()
        works.append(Work(folder, effort=EFFORT))
    torch.manual_seed(0)
    clips.prepare(works[0])

    steps = iter(range(100))

    def fails(logits: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        if next(steps) == 1:
            raise KeyboardInterrupt
        return plain(logits, actions)

    plain = clips.loss
    with monkeypatch.context() as patched:
        patched.setattr(clips, "loss", fails)
        torch.manual_seed(0)
        with pytest.raises(KeyboardInterrupt):
            clips.prepare(works[1])
    assert (folders[1] / "dense.ckpt").exists()
    torch.manual_seed(1)
    clips.prepare(works[1])
    whole, again = (load_file(folder / "dense.safetensors") for folder in folders)
    for name, weight in whole.items():
        torch.testing.assert_close(again[name], weight, rtol=0, atol=0)
    assert not (folders[1] / "dense.ckpt").exists()


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda one: one.name)
def test_names_and_titles(application: Application) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", application.name)
    assert application.title
    assert application.summary.endswith(".")
    assert application.rate > 1
    assert len({one.name for one in APPLICATIONS}) == len(APPLICATIONS)
