"""What works, and what is said, where only a part of the packages is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import tiny_bundle
from environments import Environment, build_wheel, copy_sources, size
from fake_adb import own_runtime

from niwaki.extras import EXTRAS

X = np.arange(6, dtype=np.float32).reshape(2, 3)
MOST = 200e6  # bytes of the base install without pip; 1.7 GB with all extras

NETWORK = """
import torch

def make():
    torch.manual_seed(0)
    return torch.nn.Sequential(*(torch.nn.Conv2d(16, 16, 3) for _ in range(3))).eval()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = copy_sources(tmp_path_factory.mktemp("sources"))
    return build_wheel(sources, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Of ``pip install niwaki``, with a bundle and its input."""
    environment = Environment.with_wheel(tmp_path_factory.mktemp("base"), wheel)
    tiny_bundle.affine_bundle(environment.folder / "net.niwaki")
    np.save(environment.folder / "x.npy", X)
    return environment


@pytest.fixture(scope="module")
def prune(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Of ``pip install 'niwaki[prune]'``, with a network."""
    environment = Environment.with_wheel(tmp_path_factory.mktemp("prune"), wheel, "prune")
    (environment.folder / "net.py").write_text(NETWORK)
    return environment


# pip install niwaki


def test_wheel_is_for_every_machine(wheel: Path) -> None:
    """Nothing is compiled in it: IREE's runtime and numpy have builds for x86-64 and arm64."""
    assert wheel.name.endswith("-py3-none-any.whl")


def test_base_is_small(base: Environment) -> None:
    packages = base.requirements()
    assert {"click", "iree-base-runtime", "ml-dtypes", "numpy"} == set(packages)
    assert sum(map(size, packages.values())) < MOST


def test_base_runs_bundles(base: Environment) -> None:
    code = "import niwaki, numpy; print(niwaki.load('net.niwaki')(numpy.load('x.npy')).tolist())"
    assert base.python(code) == str(tiny_bundle.affine(X).tolist())
    base.run("niwaki", "run", "net.niwaki", "--input", "x.npy", "--output", "y.npy")
    np.testing.assert_array_equal(np.load(base.folder / "y.npy"), tiny_bundle.affine(X))


def test_base_exports_to_phones(base: Environment) -> None:
    """With the script that the wheel brings along."""
    tiny_bundle.affine_bundle(base.folder / "phone.niwaki", "arm64-android")
    runtime = own_runtime(base.folder / "runtime")
    base.run("niwaki", "deploy", "phone.niwaki", "--export", "phone", "--runtime", runtime.name)
    assert {"run.sh", "settings.sh", "bin"} <= {file.name for file in base.folder.glob("phone/*")}


def test_base_decodes(base: Environment) -> None:
    """The decoder that `niwaki.decode` needs is a network; a guard and its file need only numpy."""
    code = (
        "import niwaki, numpy; assert niwaki.decode; "
        "niwaki.LengthGuard([1.0] * 4, 0, 1).save('guard.safetensors'); "
        "print(niwaki.LengthGuard.load('guard.safetensors').limit(numpy.ones((1, 3, 1))))"
    )
    assert base.python(code) == "6"  # sum 3, moves 0, last 1, largest 1, and the margin


@pytest.mark.parametrize(
    ("command", "begin"),
    [
        (("run", "net.niwaki", "--input", "x.npy"), "y: 2x3xfloat32"),
        (("bench", "net.niwaki"), "median"),
        (("bench", "net.niwaki", "--json"), "{"),
        (("bench", "net.niwaki", "--layers"), "layer"),
        (("inspect", "net.niwaki"), "net.niwaki: compiled by Niwaki"),
        (("inspect", "net.niwaki", "--json"), "{"),
        (("targets",), "host"),
        (("--help",), "Usage:"),
        (("compile", "--help"), "Usage:"),
        (("prune", "--help"), "Usage:"),
        (("--version",), "niwaki, version"),
    ],
)
def test_base_has_the_command(base: Environment, command: tuple[str, ...], begin: str) -> None:
    assert base.run("niwaki", *command).startswith(begin)


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (("niwaki", "compile", "net.py:make", "-o", "a.niwaki"), "compile"),
        (("niwaki", "compile", "net.onnx", "-o", "a.niwaki"), "compile"),
        (("niwaki-opt", "net.mlir"), "compile"),
        (("niwaki", "prune", "net.py:make", "--no-data", "-o", "a.safetensors"), "prune"),
        (("niwaki", "prune", "net.onnx", "--no-data", "-o", "a.onnx"), "prune"),
        (("niwaki", "report", "net.niwaki", "-o", "a.html"), "report"),
    ],
)
def test_base_says_what_the_command_needs(
    base: Environment, command: tuple[str, ...], extra: str
) -> None:
    assert base.refusal(*command) == f"{EXTRAS[extra].purpose}: pip install 'niwaki[{extra}]'"


@pytest.mark.parametrize(
    ("code", "extra"),
    [
        ("niwaki.compile", "compile"),
        ("import niwaki.compiler", "compile"),
        ("import niwaki.passes", "compile"),
        ("import niwaki.dialects", "compile"),
        ("from niwaki.frontend import import_torch", "compile"),
        ("niwaki.prune", "prune"),
        ("import niwaki.pruning", "prune"),
        ("import niwaki.pruning.analysis", "prune"),
        ("niwaki.Tuning().check('host')", "tune"),
        ("niwaki.runtime.bundle.open_bundle('net.niwaki').write_report('a.html')", "report"),
    ],
)
def test_base_says_what_the_name_needs(base: Environment, code: str, extra: str) -> None:
    told = (
        f"import niwaki, niwaki.runtime.bundle\n"
        f"try:\n    {code}\nexcept niwaki.NiwakiError as error:\n    print(error)"
    )
    assert base.python(told) == f"{EXTRAS[extra].purpose}: pip install 'niwaki[{extra}]'"


def test_base_reads_weights_of_numpy_alone(base: Environment) -> None:
    np.savez(base.folder / "weights.npz", weight=X)
    assert base.python("import niwaki; print(*niwaki.load_weights('weights.npz'))") == "weight"
    for name in ("weights.safetensors", "weights.pt", "weights.onnx"):
        (base.folder / name).touch()
        code = f"import niwaki\ntry:\n    niwaki.load_weights({name!r})\n"
        told = base.python(code + "except niwaki.NiwakiError as error:\n    print(error)")
        assert told == f"reading {name} needs PyTorch: pip install 'niwaki[prune]'"


# pip install 'niwaki[prune]'


def test_prune_has_no_compiler(prune: Environment) -> None:
    packages = prune.requirements("prune")
    assert {"iree-base-compiler", "torch-mlir"}.isdisjoint(packages)
    assert {"iree-base-compiler", "torch-mlir"} <= set(prune.requirements("compile"))
    assert prune.refusal("niwaki", "compile", "net.py:make", "-o", "a.niwaki") == (
        f"{EXTRAS['compile'].purpose}: pip install 'niwaki[compile]'"
    )


def test_prune_prunes(prune: Environment) -> None:
    options = ("--no-data", "--scheme", "pattern", "--rate", "4")
    command = ("niwaki", "prune", "net.py:make", "-o", "a.safetensors", *options)
    assert prune.run(*command).endswith("wrote a.safetensors")


def test_prune_prunes_onnx_files(prune: Environment) -> None:
    weights = np.random.default_rng(0).standard_normal((3, 16, 16), dtype=np.float32)
    nodes = [onnx.helper.make_node("MatMul", [f"x{i}", f"w{i}"], [f"x{i + 1}"]) for i in range(3)]
    tensor = (onnx.TensorProto.FLOAT, (1, 16))
    graph = onnx.helper.make_graph(
        nodes,
        "net",
        [onnx.helper.make_tensor_value_info("x0", *tensor)],
        [onnx.helper.make_tensor_value_info("x3", *tensor)],
        [onnx.numpy_helper.from_array(weight, f"w{i}") for i, weight in enumerate(weights)],
    )
    opset = onnx.helper.make_opsetid("", 17)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8)
    onnx.save(model, prune.folder / "net.onnx")
    options = ("--no-data", "--scheme", "unstructured", "--rate", "4")
    command = ("niwaki", "prune", "net.onnx", "-o", "a.onnx", *options)
    assert prune.run(*command).endswith("wrote a.onnx")
