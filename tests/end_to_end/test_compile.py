"""`niwaki.compile`: what it takes, what it writes, what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import ResNet
from torch import nn
from torch.nn.utils import prune

import niwaki
from niwaki import NiwakiError
from niwaki.passes.pipelines import OPTIONAL, compile_pipeline
from niwaki.schemes import block_punched_mask
from niwaki.targets import get_target

Result = tuple["Classifier", torch.Tensor, niwaki.Bundle, Path]


class Classifier(nn.Module):
    """Three convolutions pruned in three ways, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 16, 3, padding=1)
        self.punched = nn.Conv2d(16, 16, 3, stride=2, padding=1)
        self.scattered = nn.Conv2d(16, 16, 3, padding=1)
        self.head = nn.Linear(16, 5)
        weights = self.punched.weight.detach().reshape(16, 16, 9).numpy()
        mask = torch.from_numpy(block_punched_mask(weights, 4, 8)).reshape(16, 16, 3, 3)
        self.punched.weight.data *= mask * 4
        prune.l1_unstructured(self.scattered, "weight", amount=0.95)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.stem(x))
        x = torch.relu(self.punched(x)) + torch.relu(self.scattered(self.punched(x)))
        return self.head(x.mean((2, 3)))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The network, an input, its bundle, and the folder with the IR of each pass."""
    folder = tmp_path_factory.mktemp("compiled")
    model, x = Classifier().eval(), torch.randn(1, 3, 14, 14)
    bundle = niwaki.compile(model, (x,), output=folder / "net.niwaki", dump_ir=folder / "ir")
    return model, x, bundle, folder / "ir"


def test_results_are_pytorchs(compiled: Result) -> None:
    model, x, bundle, _ = compiled
    network = niwaki.load(bundle.path)
    for image in (x, x.flip(3) * 2):
        expected = model(image).detach().numpy()
        np.testing.assert_allclose(network(image.numpy()), expected, rtol=1e-4, atol=1e-5)
    assert np.abs(network(x.numpy()) - network((x.flip(3) * 2).numpy())).max() > 0.01


def test_records_tell_scheme_kernel_and_bytes(
    compiled: Result,
) -> None:
    layers = {layer.name: layer for layer in compiled[2].layers}
    assert list(layers) == ["stem", "punched", "scattered", "head"]
    assert layers["punched"].scheme.startswith("block_punched(8x")
    assert (layers["punched"].kept, layers["punched"].weights) == (16 * 36, 16 * 144)
    assert layers["punched"].packed_bytes < layers["punched"].dense_bytes / 3
    assert layers["scattered"].scheme == "unstructured"
    assert layers["stem"].reason == "stays dense: no weight is zero"
    assert all(layer.kernel for layer in layers.values())


def test_a_layer_that_is_called_twice_tells_its_reason_once(tmp_path: Path) -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(24, 24)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y: torch.Tensor = self.fc(torch.relu(self.fc(x)))
            return y

    bundle = niwaki.compile(Twice().eval(), torch.randn(1, 24), output=tmp_path / "net.niwaki")
    reasons = [layer.reason for layer in bundle.layers]
    assert reasons == ["stays dense: no weight is zero"] * 2
    assert [str(remark) for remark in bundle.manifest.remarks] == [
        "fc: remark: sparse-pattern-detect-schemes: stays dense: no weight is zero"
    ]


def test_report_is_a_table_of_the_layers(
    compiled: Result,
) -> None:
    report = compiled[2].report()
    for word in ("punched", "block_punched(8x", "gather_gemm", "stays dense: no weight is zero"):
        assert word in report


def test_the_ir_after_each_pass_is_written(
    compiled: Result,
) -> None:
    names = sorted(path.name for path in compiled[3].iterdir())
    assert names[:2] == ["00-input.mlir", "01-outline-loops.mlir"]
    assert names[-1].endswith("-emit-iree.mlir")
    (raised,) = (name for name in names if name.endswith("-raise-layers.mlir"))
    assert '"sparse_pattern.conv"' in (compiled[3] / raised).read_text()


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, x = ResNet().eval(), torch.randn(1, 3, 16, 16)
    paths = [tmp_path / "first.niwaki", tmp_path / "second.niwaki"]
    for path in paths:
        niwaki.compile(model, (x,), output=path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_batch_may_be_asked_for(tmp_path: Path) -> None:
    model, x = Classifier().eval(), torch.randn(3, 3, 14, 14)
    bundle = niwaki.compile(model, (x[:1],), batch=3, output=tmp_path / "net.niwaki")
    expected = model(x).detach().numpy()
    np.testing.assert_allclose(bundle.load()(x.numpy()), expected, rtol=1e-4, atol=1e-5)


def test_the_batch_of_an_exported_program_is_fixed(tmp_path: Path) -> None:
    program = torch.export.export(ResNet().eval(), (torch.randn(1, 3, 16, 16),))
    with pytest.raises(NiwakiError, match="the batch is fixed: export the model for 2 inputs"):
        niwaki.compile(program, batch=2, output=tmp_path / "net.niwaki")


@pytest.mark.parametrize("name", OPTIONAL)
def test_without_an_optional_pass_results_are_the_same(name: str, tmp_path: Path) -> None:
    model, x = Classifier().eval(), torch.randn(1, 3, 14, 14)
    bundle = niwaki.compile(
        model, x, output=tmp_path / "net.niwaki", without=[name], dump_ir=tmp_path / "ir"
    )
    expected = model(x).detach().numpy()
    np.testing.assert_allclose(bundle.load()(x.numpy()), expected, rtol=1e-4, atol=1e-5)
    stem = name.removeprefix("sparse-pattern-")
    assert not [path for path in (tmp_path / "ir").iterdir() if stem in path.name]


def test_passes_that_are_needed_cannot_be_left_out(tmp_path: Path) -> None:
    needed = "cannot compile without pass 'cse', which is needed: can be left out: sparse-pattern-"
    with pytest.raises(NiwakiError, match=needed):
        niwaki.compile(None, output=tmp_path / "net.niwaki", without=("cse",))
    absent = "cannot compile without pass 'linalg-no-such-pass', which is not in the pipeline: "
    with pytest.raises(NiwakiError, match=absent):
        niwaki.compile(None, output=tmp_path / "net.niwaki", without=("linalg-no-such-pass",))
    assert list(tmp_path.iterdir()) == []


def test_a_pipeline_may_be_given(tmp_path: Path) -> None:
    """Here it lets no two filters share a load."""
    pipeline = compile_pipeline(get_target("host"))
    select = "sparse-pattern-select-kernels"
    pipeline = pipeline.replace(select, f"{select}{{max-filters=1 max-vectors=2}}")
    model, x = Classifier().eval(), torch.randn(1, 3, 14, 14)
    bundle = niwaki.compile(model, x, output=tmp_path / "net.niwaki", pipeline=pipeline)
    expected = model(x).detach().numpy()
    np.testing.assert_allclose(bundle.load()(x.numpy()), expected, rtol=1e-4, atol=1e-5)
    kernels = [layer.kernel for layer in bundle.layers if layer.op.startswith("conv")]
    assert kernels
    assert all(kernel.startswith("spmm ") for kernel in kernels)


def test_bad_outputs_and_targets_are_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(NiwakiError, match="unknown target 'toaster': choose one of host, "):
        niwaki.compile(None, target="toaster", output=tmp_path / "net.niwaki")
    with pytest.raises(
        NiwakiError, match=r"cannot write .*net\.niwaki: folder .*missing does not exist"
    ):
        niwaki.compile(None, output=tmp_path / "missing" / "net.niwaki")
    (tmp_path / "net.onnx").write_text("a network")
    with pytest.raises(NiwakiError, match=r"net\.onnx: it exists and is no bundle; name another"):
        niwaki.compile(nn.Identity(), torch.ones(1), output=tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").read_text() == "a network"
    (tmp_path / "net.onnx").unlink()
    with pytest.raises(NiwakiError, match="it is a folder"):
        niwaki.compile(None, output=tmp_path)
    with pytest.raises(NiwakiError, match=r"cannot write .*: File name too long"):
        niwaki.compile(None, output=tmp_path / ("n" * 300))
    assert list(tmp_path.iterdir()) == []
