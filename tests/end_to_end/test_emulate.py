"""arm64 modules run under the emulator; what the machine lacks is told in one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import iree.compiler
import numpy as np
import pytest

from niwaki.errors import NiwakiError
from niwaki.runtime import emulate
from niwaki.runtime.bundle import open_bundle, write_bundle
from niwaki.runtime.emulate import Emulator, Missing, emulator, fetch_arm64_runtime
from niwaki.runtime.manifest import Manifest
from niwaki.signature import Signature, TensorSpec
from niwaki.targets import get_target

MODULE = """
util.global private @scale = #flow.parameter.named<"model"::"scale"> : tensor<5xf32>
func.func @main(%a: tensor<4x8xf32>, %b: tensor<8x5xf32>) -> (tensor<4x5xf32>, tensor<4x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %scale = util.global.load @scale : tensor<5xf32>
  %empty = tensor.empty() : tensor<4x5xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x5xf32>) -> tensor<4x5xf32>
  %product = linalg.matmul ins(%a, %b : tensor<4x8xf32>, tensor<8x5xf32>)
      outs(%init : tensor<4x5xf32>) -> tensor<4x5xf32>
  %rows = linalg.broadcast ins(%scale : tensor<5xf32>) outs(%empty : tensor<4x5xf32>)
      dimensions = [0]
  %scaled = linalg.map { arith.mulf } ins(%product, %rows : tensor<4x5xf32>, tensor<4x5xf32>)
      outs(%empty : tensor<4x5xf32>)
  %twice = arith.addf %a, %a : tensor<4x8xf32>
  return %scaled, %twice : tensor<4x5xf32>, tensor<4x8xf32>
}
"""
SCALE = np.arange(1, 6, dtype=np.float32)


@pytest.fixture(scope="module")
def arm64() -> Emulator:
    found = emulator(fetch=True)
    if isinstance(found, Missing):
        pytest.skip(found.reason)
    return found


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle for arm64 with two inputs, two outputs and one parameter."""
    target = get_target("arm64")
    manifest = Manifest(
        niwaki="0",
        iree=version("iree-base-compiler"),
        target="arm64",
        driver=target.device,
        architecture=target.architecture,
        signature=Signature(
            inputs=(TensorSpec("a", (4, 8), "float32"), TensorSpec("b", (8, 5), "float32")),
            outputs=(TensorSpec("0", (4, 5), "float32"), TensorSpec("1", (4, 8), "float32")),
            input_tree={"tuple": [{"tuple": [0, 1]}, {"dict": {}}]},
            output_tree={"tuple": [0, 1]},
        ),
    )
    vmfb = iree.compiler.compile_str(MODULE, extra_args=list(target.iree_flags))
    path = tmp_path_factory.mktemp("bundle") / "net.niwaki"
    write_bundle(path, manifest, vmfb, {"scale": SCALE})
    return path


def example_inputs(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return (
        generator.standard_normal((4, 8), dtype=np.float32),
        generator.standard_normal((8, 5), dtype=np.float32),
    )


@pytest.mark.parametrize("prepare", [np.ascontiguousarray, np.asfortranarray])
def test_bundle_gives_numpys_results(
    arm64: Emulator, bundle: Path, prepare: Callable[[np.ndarray], np.ndarray]
) -> None:
    a, b = example_inputs()
    product, twice = arm64.run_bundle(bundle, [prepare(a), b])
    np.testing.assert_allclose(product, a @ b * SCALE, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(twice, a + a)


def test_wrong_input_shape_is_one_clear_line(arm64: Emulator, bundle: Path) -> None:
    a, b = example_inputs()
    with pytest.raises(NiwakiError, match=r"expected 4 but have 8") as caught:
        arm64.run_bundle(bundle, [b, a])
    assert str(caught.value).startswith(f"{bundle} failed under ")
    assert "\n" not in str(caught.value)


def test_bundle_for_another_machine_is_refused(bundle: Path, tmp_path: Path) -> None:
    original = open_bundle(bundle)
    manifest = replace(original.manifest, target="x86-64-v3", architecture=("x86_64",))
    other = tmp_path / "other.niwaki"
    write_bundle(other, manifest, bytes(original.module), {"scale": SCALE})
    with pytest.raises(NiwakiError, match=r"is for target 'x86-64-v3', the emulator runs arm64"):
        Emulator((), Path()).run_bundle(other, example_inputs())


def test_missing_emulator_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert emulator() == Missing("no qemu-aarch64-static or qemu-aarch64: install qemu-user-static")


@pytest.fixture
def fake_qemu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An emulator is on the path, an arm64 library in the sysroot, and nothing in the cache."""
    program = tmp_path / "bin" / "qemu-aarch64"
    library = tmp_path / "sysroot" / "lib" / "libstdc++.so.6"
    for file in (program, library):
        file.parent.mkdir(parents=True)
        file.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(emulate, "SYSROOT", tmp_path / "sysroot")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.usefixtures("fake_qemu")
def test_missing_arm64_library_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(emulate, "SYSROOT", tmp_path / "none")
    found = emulator()
    assert isinstance(found, Missing)
    assert found.reason.endswith("none: install libstdc++6-arm64-cross")


@pytest.mark.usefixtures("fake_qemu")
def test_missing_arm64_runtime_is_named() -> None:
    found = emulator()
    assert isinstance(found, Missing)
    assert "call niwaki.runtime.emulate.fetch_arm64_runtime()" in found.reason


@pytest.mark.usefixtures("fake_qemu")
def test_failed_download_is_told_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(NiwakiError, match=r"pip could not download iree-base-runtime==.*: .+"):
        fetch_arm64_runtime()
    assert isinstance(emulator(fetch=True), Missing)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
