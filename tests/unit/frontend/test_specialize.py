"""Exported programs of dynamic sizes, compiled for those that a user gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.export import Dim, ExportedProgram

import niwaki
from niwaki.errors import NiwakiError
from niwaki.frontend.input_choices import InputChoices
from niwaki.frontend.specialize import specialize


class Network(nn.Module):
    """Sizes in reshapes, two inputs of one batch, one that may be left out."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 6)

    def forward(
        self, image: torch.Tensor, scale: torch.Tensor, offset: torch.Tensor | None = None
    ) -> torch.Tensor:
        x = nn.functional.interpolate(torch.relu(self.conv(image)), scale_factor=2)
        x = self.head(x.mean((2, 3))) * scale
        return x.reshape(image.shape[0] * 2, -1) if offset is None else x + offset


def program() -> ExportedProgram:
    batch, height = Dim("batch"), Dim("height", min=4, max=64)
    sizes = {"image": {0: batch, 2: height, 3: Dim.AUTO}, "scale": {0: batch}}
    inputs = (torch.randn(2, 3, 8, 8), torch.randn(2, 6))
    return torch.export.export(Network().eval(), inputs, dynamic_shapes=sizes)


def shapes(fixed: ExportedProgram) -> dict[str, tuple[int, ...]]:
    names = fixed.graph_signature.user_inputs
    nodes = {node.name: node for node in fixed.graph.nodes}
    return {str(name): tuple(nodes[name].meta["val"].shape) for name in names}


def refusal(made: ExportedProgram, **choices: Any) -> str:
    with pytest.raises(NiwakiError) as raised:
        specialize(made, InputChoices(**choices))
    text = str(raised.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("batch", [1, 3])
def test_a_saved_program(batch: int, tmp_path: Path) -> None:
    made = program()
    torch.export.save(made, tmp_path / "net.pt2")
    sizes = {"image": (batch, 3, 12, 20)}
    network = niwaki.compile(
        str(tmp_path / "net.pt2"), output=tmp_path / "net.niwaki", shapes=sizes
    ).load()
    image, scale = torch.randn(batch, 3, 12, 20), torch.randn(batch, 6)
    expected = made.module()(image, scale).detach().numpy()
    np.testing.assert_allclose(network(image.numpy(), scale.numpy()), expected, atol=1e-5)
    assert [spec.name for spec in network.signature.inputs] == ["image", "scale"]
    assert [layer.name for layer in network.bundle.manifest.layers][:1] == ["conv"]


def test_a_batch_alone() -> None:
    made = torch.export.export(
        nn.Linear(3, 4).eval(), (torch.randn(2, 3),), dynamic_shapes={"input": {0: Dim("n")}}
    )
    for choices, batch in ((InputChoices(), 1), (InputChoices(batch=5), 5)):
        assert shapes(specialize(made, choices)) == {"input": (batch, 3)}


def test_fixed_sizes_stay() -> None:
    made = torch.export.export(nn.Linear(3, 4).eval(), (torch.randn(2, 3),))
    assert specialize(made, InputChoices(shapes={"input": (2, 3)})) is made
    assert refusal(made, shapes={"input": (3, 3)}) == (
        "input 'input' is 2x3, which 3x3 does not fit: sizes that the file fixes stay"
    )
    assert refusal(made, batch=3).startswith("the batch is fixed: export the model for 3 inputs")


def test_what_does_not_fit() -> None:
    made = program()
    assert refusal(made).startswith("input 'image': the size of dimension 2 ('s")
    assert refusal(made, shapes={"pixels": (1,)}) == (
        "the program: has no input 'pixels'; its inputs are 'image', 'scale'"
    )
    assert refusal(made, constants={"scale": 1}) == (
        "input 'scale' is one of an exported program: constants are for .onnx files"
    )
    text = refusal(made, shapes={"image": (2, 3, 400, 8)})
    assert text.startswith("the program does not take image of 2x3x400x8, scale of 2x6 (")
    assert text.endswith("): give other sizes by --shape")


@pytest.mark.parametrize(
    "choices",
    [
        {"constants": {"scale": 1}},
        {"shapes": {"image": (2, 3)}},
        {"shapes": {"image": (2, 3, 400, 8)}},
        {"shapes": {"pixels": (1,)}},
        {},
    ],
)
def test_a_file_is_named(choices: dict[str, Any]) -> None:
    with pytest.raises(NiwakiError, match=r"^net\.pt2: "):
        specialize(program(), InputChoices(**choices), "net.pt2")
