"""Arguments of `niwaki.compile` of the wrong kind: one line that names each, and what it takes."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import niwaki
from niwaki import NiwakiError

WRONG: dict[str, list[Any]] = {
    "target": [3, None, "abacus"],
    "output": [3, None, [1]],
    "example_kwargs": [3, "x", [1]],
    "batch": ["8", 0, -1, 2.5, True, [1]],
    "shapes": [3, "x=1x3", [1]],
    "constants": [3, "x=1"],
    "states": [3, "h=h_next", [1]],
    "lengths": [3, "32,64", [], [0], [-1, 2], [2.5], [8, 8], [True], {}],
    "dump_ir": [3, True, {}],
    "golden": ["yes", 1, [True]],
    "place": [3, ["*"], {"*": 3}, {3: "host"}, "everywhere"],
    "precision": [16, None, ["f16"]],
    "tolerance": ["1", 0, 1, -0.01, float("nan"), float("inf"), True],
    "calibrate": [3, True, [1]],
    "trim_threshold": ["1", -1, float("nan"), float("inf"), None, True],
    "without": ["linalg-fuse-elementwise-ops", 3, None, [3]],
    "pipeline": [3, ["cse"]],
    "tune": ["yes", 1, None],
    "weights": [3, True, [1]],
    "progress": [3, True, print],
}
CHECKED_ELSEWHERE = {"model", "example_inputs"}  # tests/unit/frontend/test_torch_messages.py


def test_no_argument_is_forgotten() -> None:
    assert set(inspect.signature(niwaki.compile).parameters) - CHECKED_ELSEWHERE == set(WRONG)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_each_argument_of_the_wrong_kind(tmp_path: Path, name: str, value: Any) -> None:
    arguments = {"output": tmp_path / "net.niwaki", name: value}
    with pytest.raises(NiwakiError) as caught:
        niwaki.compile(nn.ReLU().eval(), torch.zeros(1, 3), **arguments)
    text = str(caught.value)
    assert name in text
    assert "\n" not in text
    assert not list(tmp_path.iterdir())
    if not isinstance(value, list | dict) and not callable(value):
        assert repr(value) in text


def test_a_pass_as_text_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(NiwakiError, match=r"^without is a list of passes: \['cse'\], not 'cse'$"):
        niwaki.compile(None, output=tmp_path / "net.niwaki", without="cse")


@pytest.mark.parametrize(
    ("target", "precision", "told"),
    [
        ("host", "f8", "unknown precision 'f8': choose one of f32, f16"),
        ("vulkan", "f16", "target vulkan has no layers of f16: it has f32; choose another"),
    ],
)
def test_a_precision_that_there_is_not(
    target: str, precision: str, told: str, tmp_path: Path
) -> None:
    arguments: dict[str, Any] = {"target": target, "precision": precision}
    arguments["output"] = tmp_path / "net.niwaki"
    with pytest.raises(NiwakiError, match=f"^{told}"):
        niwaki.compile(nn.ReLU().eval(), torch.zeros(1, 3), **arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"calibrate": {}}, "calibrate has no effect without a tolerance: give one, as 0.01"),
        ({"tolerance": 0.01}, "tolerance says which layers stay f32 .* it needs precision f16"),
        (
            {"tolerance": 0.01, "precision": "f16", "pipeline": "builtin.module(cse)"},
            "tolerance has no effect on a pipeline of one's own: leave out one of them",
        ),
        ({"tolerance": 1, "precision": "f16"}, "tolerance is a number between 0 and 1, as 0.01"),
    ],
)
def test_a_tolerance_without_what_it_needs(
    arguments: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(NiwakiError, match=f"^{told}"):
        niwaki.compile(
            nn.ReLU().eval(), torch.zeros(1, 3), output=tmp_path / "net.niwaki", **arguments
        )
    assert not list(tmp_path.iterdir())


def test_a_tolerance_for_what_brings_no_examples(tmp_path: Path) -> None:
    program = torch.export.export(nn.ReLU().eval(), (torch.zeros(1, 3),))
    with pytest.raises(NiwakiError, match=r"give some by calibrate \(--calibrate images.npz\)$"):
        niwaki.compile(program, output=tmp_path / "net.niwaki", precision="f16", tolerance=0.01)


def test_a_tolerance_for_classes(tmp_path: Path) -> None:
    class Classes(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.argmax(1)

    arguments: dict[str, Any] = {"precision": "f16", "tolerance": 0.01}
    with pytest.raises(
        NiwakiError, match=r"^a tolerance is for outputs of floats, and the network"
    ):
        niwaki.compile(
            Classes().eval(), torch.zeros(1, 3), output=tmp_path / "net.niwaki", **arguments
        )


@pytest.mark.parametrize(
    "others",
    [
        {"states": {"h": "y"}},
        {"tolerance": 0.1, "precision": "f16"},
        {"pipeline": "builtin.module()"},
    ],
)
def test_lengths_go_alone(tmp_path: Path, others: dict[str, Any]) -> None:
    told = rf"^{next(iter(others))} and lengths do not go together: leave out one of them$"
    with pytest.raises(NiwakiError, match=told):
        niwaki.compile(None, output=tmp_path / "net.niwaki", lengths=[8], **others)
