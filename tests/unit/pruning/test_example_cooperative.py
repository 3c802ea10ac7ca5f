"""The example that searches students beside their teacher, on images of chance."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from cifar_resnet import CifarResNet
from search import cooperative
from search.tasks import COLOURED, Task, accuracy
from torch import Tensor, nn
from unit.pruning.toy_costs import toy_costs

from niwaki.pruning import PruningConfig, select

pytestmark = pytest.mark.usefixtures("one_thread")


def noise(data: Path, split: str) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(len(split))
    images = torch.randint(256, (64, 3, 32, 32), generator=generator, dtype=torch.uint8)
    return images, torch.arange(64) % 10


TASK = Task(partial(CifarResNet, 8), noise, COLOURED, 4, epochs=1)


@pytest.fixture
def lab(tmp_path: Path) -> cooperative.Lab:
    dense = TASK.trained(tmp_path, tmp_path / "dense.safetensors")
    batches = TASK.batches(tmp_path, 32)
    return cooperative.Lab(TASK, dense, batches, toy_costs(dense), tmp_path, "filter", 2.0, 2)


def test_trained_once(lab: cooperative.Lab, tmp_path: Path) -> None:
    again = TASK.trained(tmp_path, tmp_path / "dense.safetensors")
    for one, other in zip(lab.dense.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_all_ways_are_compared(
    lab: cooperative.Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cooperative.compare(lab, [0], weights_left, TASK.test(tmp_path))
    rows = capsys.readouterr().out.splitlines()
    assert [row.split(" | ")[:2] for row in rows[1:4]] == [[way, "0"] for way in cooperative.WAYS]
    assert [row.split(" | ")[:2] for row in rows[4:]] == [[way, "mean"] for way in cooperative.WAYS]
    # Costs are weights, of which half are left; the classifier's stay.
    assert all(float(row.split(" | ")[-1]) < 0.6e3 * weights_left(lab.dense) for row in rows[1:])
    students = sorted(tmp_path.glob("filter-2x-2-*.safetensors"))
    assert [file.stem.removeprefix("filter-2x-2-") for file in students] == [
        "alone-0", "cooperative-0", "in-turn-0",
    ]  # fmt: skip
    cooperative.compare(lab, [0], weights_left, TASK.test(tmp_path))
    assert capsys.readouterr().out.splitlines() == rows, "what is trained is kept"


def test_all_but_the_classifier_is_searched() -> None:
    config = PruningConfig("filter", 2, include=cooperative.SEARCHED)
    names = [target.layer.name for target in select(CifarResNet(8), config)]
    assert len(names) == 1 + 6 + 2
    assert "fc" not in names


def test_accuracy_is_the_share_of_right_answers() -> None:
    scores = torch.eye(4)[[0, 1, 2, 2]]
    assert accuracy(nn.Identity(), (scores, torch.tensor([0, 1, 2, 3]))) == 0.75


def weights_left(model: nn.Module) -> float:
    return float(sum(int((p != 0).sum()) for p in model.parameters() if p.dim() > 1))
