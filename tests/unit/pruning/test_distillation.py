"""Retraining with the dense network as teacher."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from unit.pruning.tiny_task import accuracy, images, loader, network, trained

import niwaki
from niwaki.errors import NiwakiError
from niwaki.pruning import Distillation


class Scores(nn.Module):
    """Returns its inputs, times a weight."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


@settings(max_examples=20)
@given(
    st.integers(1, 4), st.integers(2, 5), st.sampled_from([(), (3,)]),
    st.sampled_from([0.25, 1.0]), st.sampled_from([1.0, 4.0]), st.integers(0, 2**31),
)  # fmt: skip
def test_loss_is_the_divergence_of_softened_scores(
    batch: int, classes: int, more: tuple[int, ...], weight: float, temperature: float, seed: int
) -> None:
    x = torch.randn(batch, classes, *more, generator=torch.Generator().manual_seed(seed))
    student, teacher = Scores(0.5), Scores()
    mixed = Distillation(weight, temperature, teacher).mix(torch.tensor(2.0), student(x), x)
    p, q = ((x * f / temperature).double().exp() for f in (1, 0.5))
    p, q = p / p.sum(1, keepdim=True), q / q.sum(1, keepdim=True)
    divergence = float((p * (p / q).log()).sum() * classes / x.numel())
    expected = (1 - weight) * 2 + weight * temperature**2 * divergence
    assert float(mixed.detach()) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    mixed.backward()
    assert teacher.factor.grad is None


def test_the_teacher_is_a_copy_of_the_dense_network() -> None:
    model = network().train()
    teacher = Distillation().of(model).teacher
    assert teacher is not None
    assert teacher is not model
    assert not teacher.training
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_teacher_of_ones_own_stays_as_it_is() -> None:
    """Be it the network that is pruned: in its own mode, to be trained on."""
    dense = network().train()
    dense[3].eval()
    niwaki.prune(
        dense, loader(64), scheme="filter", rate=2, method="magnitude", epochs=1, progress=False,
        distillation=Distillation(teacher=dense),
    )  # fmt: skip
    assert dense.training
    assert not dense[3].training
    assert all(parameter.requires_grad for parameter in dense.parameters())


def test_what_the_teacher_says_is_learnt_without_labels() -> None:
    """Labels of chance would destroy the network; the teacher alone keeps it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    dense = trained()
    x, labels = images(256, 1)
    data = DataLoader(TensorDataset(x, labels[torch.randperm(256)]), 32, shuffle=True)
    options: dict[str, Any] = {
        "scheme": "block_punched", "rate": 2, "method": "magnitude", "epochs": 12,
        "learning_rate": 3e-3, "progress": False,
    }  # fmt: skip
    by_chance = niwaki.prune(dense, data, **options)
    taught = niwaki.prune(dense, data, distillation=Distillation(1.0, 1.0), **options)
    torch.set_num_threads(threads)
    assert accuracy(taught.eval()) > accuracy(by_chance.eval()) + 0.2
    assert float((taught.get_parameter("6.weight") != 0).float().mean()) == 0.5


@pytest.mark.parametrize(("from_start", "steps"), [(False, 2), (True, 6)])
def test_the_teacher_speaks_in_retraining_or_from_the_start(from_start: bool, steps: int) -> None:
    calls = 0

    class Teacher(Scores):
        def forward(self, x: Tensor) -> Tensor:
            nonlocal calls
            calls += 1
            return torch.zeros(len(x), 4)

    niwaki.prune(
        network(), loader(64), scheme="filter", rate=2, method="gradual(ramp=0.67)", epochs=3,
        progress=False, distillation=Distillation(teacher=Teacher(), from_start=from_start),
    )  # fmt: skip
    assert calls == steps


def test_gates_learn_from_the_teacher() -> None:
    """Labels of chance tell them nothing; what the dense network says does."""
    torch.manual_seed(0)
    dense = trained()
    x, labels = images(256, 1)
    data = DataLoader(TensorDataset(x, labels[torch.randperm(256)]), 32, shuffle=True)

    def kept(from_start: bool) -> float:
        """Accuracy before any retraining."""
        torch.manual_seed(1)
        pruned = niwaki.prune(
            dense, data, scheme="filter", rate=2, method="search(ratio=1)", epochs=6,
            learning_rate=1e-3, progress=False,
            distillation=Distillation(1.0, 1.0, from_start=from_start),
        )  # fmt: skip
        return accuracy(pruned.eval())

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    taught, untaught = kept(from_start=True), kept(from_start=False)
    torch.set_num_threads(threads)
    assert taught > untaught + 0.1


def test_a_checkpoint_goes_on_with_the_same_teacher_alone(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "scheme": "filter", "rate": 2, "method": "magnitude", "epochs": 1, "progress": False,
        "checkpoint": tmp_path / "run.ckpt",
    }  # fmt: skip
    niwaki.prune(network(), loader(64), distillation=Distillation(), **options)
    with pytest.raises(NiwakiError, match=r"with distillation weight: 0\.5, not left out; give"):
        niwaki.prune(network(), loader(64), **options)


@pytest.mark.parametrize(("weight", "temperature"), [(0, 4), (1.5, 4), (0.5, 0), (0.5, math.nan)])
def test_numbers_out_of_range(weight: float, temperature: float) -> None:
    with pytest.raises(NiwakiError, match=r"distillation is (a number )?above 0"):
        Distillation(weight, temperature)


@pytest.mark.parametrize(
    ("outputs", "wanted", "message"),
    [
        ((1, 2), (1, 2), "^distillation compares class scores .*, and the network returns tuple: "),
        (torch.zeros(3), torch.zeros(3), r"and the network returns \[3\]: leave distillation out$"),
        (torch.zeros(3, 2), torch.zeros(3, 1), r"and the teacher returns \[3, 1\]: leave"),
        (torch.zeros(3, 2), torch.zeros(3, 4), r"network are \[3, 2\], of the teacher \[3, 4\]$"),
    ],
)
def test_outputs_that_are_no_class_scores(outputs: Any, wanted: Any, message: str) -> None:
    class Teacher(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return wanted

    with pytest.raises(NiwakiError, match=message):
        Distillation(teacher=Teacher()).mix(torch.tensor(0.0), outputs, torch.zeros(1))


def test_no_teacher() -> None:
    with pytest.raises(NiwakiError, match=r"^distillation has no teacher yet: call Distillation"):
        Distillation().mix(torch.tensor(0.0), torch.zeros(1, 2), torch.zeros(1))
