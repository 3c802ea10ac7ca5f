"""Bodies of kernels that stand aside while IREE schedules a network."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

import niwaki
from niwaki import code_generation, dialects
from niwaki.errors import CompilerBug
from niwaki.kernel_bodies import put_bodies, take_bodies
from niwaki.runtime.iree_compile import iree_compile
from niwaki.targets import get_target

HEAD = """\
      func.func @conv_0(%arg0: !stream.binding loc("a % b"), %arg1: !stream.binding) {
        %c0 = arith.constant 0 : index loc("a")
        %c8 = arith.constant 8 : index loc("a")
        %0 = "stream.binding.subspan"(%arg0, %c0, %c8) : (!stream.binding, index, index) \
-> memref<?xf32> loc("a index")
        %1 = "stream.binding.subspan"(%arg1, %c0, %c8) : (!stream.binding, index, index) \
-> memref<?xi8> loc("a")
        %2 = "stream.dispatch.workgroup.id"() {dimension = 0 : index} : () -> index loc("a")
        %3 = "stream.dispatch.workgroup.id"() {dimension = 2 : index} : () -> index loc("a")
"""
BODY = """\
        %4:2 = scf.for %arg2 = %c0 to %2 {
          %6 = memref.load %0[%arg2] loc("a")
        } loc("a")
        memref.store %4#1, %0[%c8] loc("a")
"""
TAIL = """\
        return loc("a")
      } loc("a")
"""
AFTER = """\
    } loc("a")
  func.func @main(%arg0: tensor<8xf32>) {
    return loc(unknown)
  } loc(unknown)
"""


def test_a_call_for_the_body() -> None:
    text, bodies = take_bodies(HEAD + BODY + TAIL + AFTER)
    kinds = "(index, index, memref<?xf32>, index)"
    call = f"func.call @conv_0.body(%c0, %c8, %0, %2) : {kinds} -> ()\n"
    assert text == f"{HEAD}{call}{TAIL}func.func private @conv_0.body{kinds}\n{AFTER}"
    assert list(bodies) == ["conv_0"]


def test_the_body_comes_back() -> None:
    """With the names that IREE has given, and its own names where these would meet others."""
    _, bodies = take_bodies(HEAD + BODY + TAIL)
    scheduled = """\
    func.func @conv_0() {
      func.call @conv_0.body(%c0_4, %c8, %4, %workgroup_id_x) : (index) -> () loc("a")
      return loc("a")
    } loc("a")
    func.func private @conv_0.body(index) loc("a")
    func.func private @other(index) loc("a")
"""
    assert (
        put_bodies(scheduled, bodies)
        == """\
    func.func @conv_0() {
        %body.4:2 = scf.for %body.arg2 = %c0_4 to %workgroup_id_x {
          %body.6 = memref.load %4[%body.arg2] loc("a")
        } loc("a")
        memref.store %body.4#1, %4[%c8] loc("a")
      return loc("a")
    } loc("a")
    func.func private @other(index) loc("a")
"""
    )


def test_a_network_without_kernels() -> None:
    assert take_bodies(AFTER) == (AFTER, {})


@pytest.mark.parametrize("target", ["host", "arm64", "vulkan"])
def test_each_kernel_of_a_network(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IREE schedules calls alone, and gets all bodies back."""
    texts: list[str] = []
    compiled = iree_compile

    def seen(text: str, flags: list[str], folder: Path) -> bytes:
        texts.append(text)
        return compiled(text, flags, folder)

    monkeypatch.setattr(code_generation, "iree_compile", seen)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.MaxPool2d(2), torch.nn.Conv2d(8, 8, 3, stride=2)
    )
    bundle = niwaki.compile(
        model.eval(), torch.zeros(1, 3, 12, 12), target=target, output=tmp_path / "net.niwaki"
    )
    scheduled, generated, *_ = texts  # what follows on GPUs has shaders
    kernels = {run.kernel for run in bundle.manifest.dispatches if run.family}
    assert len(kernels) >= 3
    assert scheduled.count(".body(%") == len(kernels)
    assert "memref.store" not in scheduled
    assert ".body" not in generated.replace("%body.", "")
    assert generated.count("memref.store") + generated.count("vector.store") >= len(kernels)


def test_a_kernel_that_iree_runs(tmp_path: Path) -> None:
    """To compute constants: it needs the kernel's body then."""

    class Offset(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pool = torch.nn.MaxPool2d(2)
            self.register_buffer("image", torch.randn(1, 2, 6, 6))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.pool(self.image) + self.pool(x)

    model, x = Offset(), torch.randn(1, 2, 6, 6)
    found = niwaki.compile(model.eval(), x, output=tmp_path / "net.niwaki").load()(x.numpy())
    np.testing.assert_array_equal(found, model(x).numpy())


def test_what_iree_refuses_is_kept_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    text = HEAD + BODY + TAIL
    with dialects.context(), pytest.raises(CompilerBug, match="IREE could not compile"):
        code_generation.generate_code(text, get_target("host"))
    (kept,) = tmp_path.glob("niwaki-*.mlir")
    assert kept.read_text() == text
