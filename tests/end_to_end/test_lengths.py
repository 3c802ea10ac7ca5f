"""Networks for several lengths in one bundle, against PyTorch at lengths of all kinds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from masked_networks import Recurrent, encoder, inputs_of
from numeric.row_layers import by_rows
from torch import nn

import niwaki
from niwaki import NiwakiError
from niwaki.cli import main
from niwaki.dialects import context
from niwaki.frontend.input_choices import AS_DECLARED
from niwaki.lengths.networks import import_networks
from niwaki.padding import LOWEST, ONE, ZERO
from niwaki.passes import select_kernels
from niwaki.runtime.bundle import Bundle, open_bundle
from niwaki.runtime.emulate import Emulator
from niwaki.runtime.report_page import render
from niwaki.schemes import block_punched_mask
from niwaki.sources import load_source

LENGTHS = [8, 40, 64]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    network, example = encoder(length=40)
    path = tmp_path_factory.mktemp("lengths") / "net.niwaki"
    return niwaki.compile(network, example, output=path, lengths=[40, 8, 64])


def check(network: nn.Module, bundle: Bundle, inputs: tuple[torch.Tensor, ...]) -> None:
    """The bundle gives what PyTorch gives."""
    with torch.no_grad():
        wanted = network(*inputs)
    found = bundle.load()(*(value.numpy() for value in inputs))
    for one, other in zip(wanted, found, strict=True):
        np.testing.assert_allclose(other, one.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("length", [1, 2, 7, 8, 9, 17, 40, 41, 64])
def test_any_length(compiled: Bundle, length: int) -> None:
    network, _ = encoder()
    check(network, compiled, inputs_of("keep", length))


def test_too_long(compiled: Bundle) -> None:
    with pytest.raises(
        NiwakiError, match=r"length 65, and .*net.niwaki takes lengths from 1 to 64"
    ):
        compiled.load()(*(value.numpy() for value in inputs_of("keep", 65)))


def test_a_mask_of_another_type(compiled: Bundle) -> None:
    ids, mask = (value.numpy() for value in inputs_of("keep", 5))
    with pytest.raises(NiwakiError, match=r"^input 'mask' must be int64 of shape 1x5, got bool of"):
        compiled.load()(ids, mask > 0)


class Scattered(nn.Module):
    """Positions, a dense layer, two pruned ones whose filters are not beside those of like columns.

    Of positions each length has a part.
    """

    def __init__(self, size: int = 128) -> None:
        super().__init__()
        self.dense, self.first, self.second = (nn.Linear(size, size) for _ in range(3))
        self.positions = nn.Parameter(torch.randn(256, size))
        order = torch.randperm(size)
        for layer in (self.first, self.second):
            weight = layer.weight.detach().numpy()
            mask = block_punched_mask(weight[:, :, None], 4, 8)[:, :, 0]
            layer.weight.data *= torch.from_numpy(mask.astype(np.float32))
        self.first.weight.data = self.first.weight.data[order]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.dense(x + self.positions[: x.shape[1]]).relu()
        return self.second(self.first(x).relu())


def test_weights_are_stored_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels for many rows have lower blocks of filters than those for few, where they choose."""
    monkeypatch.setattr(select_kernels, "fastest", by_rows)
    torch.manual_seed(0)
    network, path = Scattered().eval(), tmp_path / "net.niwaki"
    example = torch.randn(1, 256, 128)
    one = len(niwaki.compile(network, example, output=path).weights)
    several = niwaki.compile(network, example, output=path, lengths=[1, 4, 16, 256])
    assert one < 4 * 128 * (256 + 2 * 128)
    assert len(several.weights) < 1.03 * one
    check(network, several, (torch.randn(1, 11, 128),))
    check(network, several, (torch.randn(1, 3, 128),))


def import_for(model: Any, example: Any, lengths: list[int]) -> list[str]:
    """What fills up shorter inputs of a network."""
    with context() as ctx:
        source = load_source(model, example, None, AS_DECLARED, None, lengths)
        return import_networks(source, lengths, ctx).lengths.padding


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("keep", [ZERO, ZERO]), ("ignore", [ZERO, ONE]), ("bias", [ZERO, LOWEST])],
)
def test_masks(kind: str, wanted: list[str]) -> None:
    assert import_for(*encoder(kind), [8, 16]) == wanted


def test_no_mask() -> None:
    with pytest.raises(NiwakiError, match="padding from length 5 to 8 changes results: output"):
        import_for(*encoder("none"), [8, 16])


def test_lengths_that_a_network_does_not_take() -> None:
    """Of 64 positions; and one whose input is no sequence."""
    with pytest.raises(NiwakiError, match=r"^for length 128: layer 'positions' cannot compute its"):
        import_for(*encoder(), [16, 128])
    with pytest.raises(NiwakiError, match=r"^for length 8: the example inputs do not fit: "):
        import_for(nn.Linear(16, 4).eval(), torch.randn(1, 16), [8, 16])


class Chosen(nn.Module):
    """It looks up positions that it is given, of which it has nine."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(9, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.table(x.cumsum(1).long())


def test_lengths_that_fail_in_pytorch() -> None:
    told = (
        r"^the network does not run for inputs of 1x17 \(IndexError: index out of range in self\)"
    )
    with pytest.raises(NiwakiError, match=told):
        import_for(Chosen().eval(), torch.ones(1, 8, dtype=torch.int64), [8, 22])


def test_recurrent_layers() -> None:
    """A step does not depend on later ones, the last state does."""
    example = torch.randn(1, 16, 5)
    assert import_for(Recurrent(last=False).eval(), example, [8, 16]) == [ZERO]
    with pytest.raises(NiwakiError, match="changes results: output 'output' is off by"):
        import_for(Recurrent(last=True).eval(), example, [8, 16])


@pytest.mark.parametrize("kind", ["pt2", "onnx"])
def test_files_of_open_lengths(tmp_path: Path, kind: str) -> None:
    network, example = encoder()
    time = torch.export.Dim("time", min=1, max=64)
    shapes = ({1: time}, {1: time})
    program = torch.export.export(network, example, dynamic_shapes=shapes)
    path = tmp_path / f"net.{kind}"
    if kind == "pt2":
        torch.export.save(program, path)
    else:
        torch.onnx.export(program, (), path, dynamo=True, verbose=False)
    bundle = niwaki.compile(path, output=tmp_path / "net.niwaki", lengths=[8, 16])
    for length in (3, 8, 11):
        check(network, bundle, inputs_of("keep", length))


def test_a_file_of_fixed_length(tmp_path: Path) -> None:
    network, example = encoder()
    torch.export.save(torch.export.export(network, example), tmp_path / "net.pt2")
    with pytest.raises(NiwakiError, match=r"net.pt2: no dimension of the inputs is open, so that"):
        niwaki.compile(tmp_path / "net.pt2", output=tmp_path / "net.niwaki", lengths=[8, 16])


def test_examples_of_another_length() -> None:
    """The only size of words and masks is the length; of floats it need not be."""
    assert import_for(*encoder(), [8, 20]) == [ZERO, ZERO]
    told = r"^no dimension of the example inputs \(1x16x5\) is one of the lengths 8, 20: give"
    with pytest.raises(NiwakiError, match=told):
        import_for(Recurrent(last=False).eval(), torch.randn(1, 16, 5), [8, 20])


def run(*arguments: Any) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_command_line(compiled: Bundle, tmp_path: Path) -> None:
    path = compiled.path
    text = run("inspect", path)
    assert "lengths 8, 40, 64; the table is that of the last" in text
    assert "length mask: dimension 1, filled up with zero" in text
    assert json.loads(run("inspect", path, "--json"))["lengths"]["inputs"] == [[1], [1]]
    lines = run("bench", path, "--warmup", 0, "--repetitions", 2).splitlines()
    assert [line.partition(": ")[0] for line in lines] == [f"length {n}" for n in LENGTHS]
    every = json.loads(run("bench", path, "--warmup", 0, "--repetitions", 1, "--json"))
    assert list(every) == ["8", "40", "64"]
    one = run("bench", path, "--warmup", 0, "--repetitions", 1, "--length", 8, "--layers")
    assert "attention" in one
    for name, value in zip(("ids", "mask"), inputs_of("keep", 7), strict=True):
        np.save(tmp_path / f"{name}.npy", value.numpy())
    files = [f"--input={tmp_path / name}.npy" for name in ("ids", "mask")]
    assert "output_1: 1x7x32xfloat32" in run("run", path, *files)


def test_pages(compiled: Bundle) -> None:
    assert "8, 40, 64; this page is about the last" in render(compiled, None)
    assert "this page is about the last" not in render(compiled.at(8), None)


def test_compile_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is told before anything is compiled."""
    monkeypatch.chdir(tmp_path)
    model = f"{Path(__file__).parent.parent / 'masked_networks.py'}:make"
    for lengths, told in (
        ("16,a", "--lengths 16,a: give whole numbers: --lengths 32,64,128"),
        ("16,16", "lengths is a list of different whole numbers from 1 on"),
        ("0,16", "each of lengths is a whole number from 1 on, not 0"),
    ):
        result = CliRunner().invoke(main, ["compile", model, "--lengths", lengths])
        assert told in result.output
        assert result.exit_code == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.requires_vulkan
def test_vulkan(tmp_path: Path) -> None:
    network, example = encoder()
    path = tmp_path / "net.niwaki"
    bundle = niwaki.compile(network, example, target="vulkan", output=path, lengths=[8, 16])
    check(network, bundle, inputs_of("keep", 5))


@pytest.mark.requires_qemu
def test_arm64(arm64: Emulator, tmp_path: Path) -> None:
    network, example = encoder()
    path = tmp_path / "net.niwaki"
    niwaki.compile(network, example, target="arm64-android", output=path, lengths=[8, 16])
    for length in open_bundle(path).lengths:
        inputs = inputs_of("keep", length)
        found = arm64.run_bundle(path, [value.numpy() for value in inputs], length)
        with torch.no_grad():
            wanted = network(*inputs)
        for one, other in zip(wanted, found, strict=True):
            np.testing.assert_allclose(other, one.numpy(), rtol=1e-4, atol=1e-5)
