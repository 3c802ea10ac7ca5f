"""Loading and calling networks."""

from __future__ import annotations

import gc
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_bundle

import niwaki
from niwaki.errors import NiwakiError
from niwaki.runtime import device
from niwaki.runtime.arrays import aligned_empty, is_shareable
from niwaki.runtime.bundle import Bundle, open_bundle, write_bundle
from niwaki.runtime.manifest import Manifest
from niwaki.runtime.network import Network
from niwaki.signature import DTYPES, Signature, TensorSpec, flatten
from niwaki.targets import TARGETS, host
from niwaki.targets.cpus import AVX512

X = np.arange(6, dtype=np.float32).reshape(2, 3) / 7

# main(x, (a, {"k": b}), None, *, scale) -> {"sum": [..], "rest": (..)}
NESTED = """
func.func @main(%x: tensor<2xf32>, %a: tensor<2xf32>, %b: tensor<2xi64>, %scale: tensor<f32>)
    -> (tensor<2xf32>, tensor<2xi64>, tensor<f32>) {
  %sum = arith.addf %x, %a : tensor<2xf32>
  %rest = arith.addi %b, %b : tensor<2xi64>
  %twice = arith.addf %scale, %scale : tensor<f32>
  return %sum, %rest, %twice : tensor<2xf32>, tensor<2xi64>, tensor<f32>
}
"""


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(NiwakiError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def altered(bundle: Path, **fields: Any) -> Bundle:
    """The bundle at `bundle`, with another manifest."""
    opened = open_bundle(bundle)
    return replace(opened, manifest=replace(opened.manifest, **fields))


@pytest.fixture(scope="module")
def network(affine_path: Path) -> Network:
    return niwaki.load(affine_path)


@pytest.fixture(scope="module")
def nested(tmp_path_factory: pytest.TempPathFactory) -> Network:
    pair, scalar = ((2,), "float32"), ((), "float32")
    plain = tiny_bundle.manifest(
        {"x": pair, "a": pair, "b": ((2,), "int64"), "scale": scalar},
        {"sum": pair, "rest": ((2,), "int64"), "twice": scalar},
    )
    tensor = object()
    arguments = ((tensor, (tensor, {"k": tensor}), None), {"scale": tensor})
    results = {"sum": [tensor], "rest": (tensor, tensor)}
    signature = replace(
        plain.signature, input_tree=flatten(arguments)[1], output_tree=flatten(results)[1]
    )
    path = tmp_path_factory.mktemp("nested") / "nested.niwaki"
    write_bundle(path, replace(plain, signature=signature), tiny_bundle.compiled(NESTED), {})
    return niwaki.load(path)


def echo(tmp_path: Path, shapes: list[tuple[int, ...]], dtype: str) -> Network:
    """A network that returns its inputs."""
    kind = np.dtype(dtype)
    letter = "f" if kind.kind == "f" else "i"
    bits = "i1" if dtype == "bool" else f"{letter}{8 * kind.itemsize}"
    types = [f"tensor<{'x'.join([*map(str, shape), bits])}>" for shape in shapes]
    names = [f"%x{i}" for i in range(len(shapes))]
    parameters = ", ".join(f"{name}: {type_}" for name, type_ in zip(names, types, strict=True))
    results = ", ".join(types)
    source = (
        f"func.func @main({parameters}) -> ({results}) {{ return {', '.join(names)} : {results} }}"
    )
    tensors = {name[1:]: (shape, dtype) for name, shape in zip(names, shapes, strict=True)}
    manifest = tiny_bundle.manifest(tensors, tensors)
    write_bundle(tmp_path / "echo.niwaki", manifest, tiny_bundle.compiled(source), {})
    return niwaki.load(tmp_path / "echo.niwaki")


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_computes(affine_path: Path, threads: int) -> None:
    network = niwaki.load(affine_path, threads=threads)
    assert (network.threads, network.device) == (threads, "local")
    result = network(X)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, tiny_bundle.affine(X), rtol=1e-6)
    assert np.abs(network(X + 1) - result).max() > 0.5


def test_repr(network: Network, affine_path: Path) -> None:
    assert repr(network) == f"<Network {affine_path}: (x: 2x3xfloat32) -> (y: 2x3xfloat32)>"


def test_threads_are_exactly_as_many_workers(affine_path: Path) -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/task"))

    gc.collect()
    before = count()
    networks = [niwaki.load(affine_path, threads=threads) for threads in (2, 5)]
    # Each device also has one thread that waits for events.
    assert count() - before == 2 + 1 + 5 + 1
    networks.clear()
    gc.collect()
    assert count() == before


def test_flags_are_put_back(affine_path: Path) -> None:
    from iree.runtime._binding import create_hal_driver

    before = len(os.listdir("/proc/self/task"))
    network = niwaki.load(affine_path, threads=7)
    driver = create_hal_driver("local-task")
    chosen = len(os.listdir("/proc/self/task")) - before - (7 + 1)
    assert chosen <= (os.cpu_count() or 1) + 1
    del network, driver


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda x: x[::-1, ::-1].copy()[::-1, ::-1], id="strided"),
        pytest.param(np.asfortranarray, id="fortran"),
        pytest.param(lambda x: np.frombuffer(x.tobytes(), np.float32).reshape(2, 3), id="readonly"),
        pytest.param(lambda x: np.insert(x, 0, 0)[1:].reshape(2, 3), id="misaligned"),
    ],
)
def test_inputs_of_any_layout(network: Network, make: Callable[[Any], Any]) -> None:
    np.testing.assert_array_equal(network(make(X)), network(X))


@pytest.mark.parametrize("offset", range(0, 68, 4))
def test_inputs_at_any_address(network: Network, offset: int) -> None:
    storage = aligned_empty((200,), np.uint8)
    x = storage[offset : offset + X.nbytes].view(np.float32).reshape(2, 3)
    x[...] = X
    assert is_shareable(x) == (offset % 64 == 0)
    np.testing.assert_allclose(network(x), tiny_bundle.affine(X), rtol=1e-6)
    np.testing.assert_array_equal(x, X)


def test_non_finite_values_flow(network: Network) -> None:
    x = np.array([[np.nan, np.inf, -np.inf], [0, 1, 2]], np.float32)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(network(x), tiny_bundle.affine(x))


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(tmp_path: Path, dtype: str) -> None:
    """Vectors, scalars and empty arrays of each dtype come back as they went in."""
    shapes: list[tuple[int, ...]] = [(3,), (), (0, 3)]
    inputs = [np.ones(shape, dtype) for shape in shapes]
    inputs[0][1] = 0
    for x, y in zip(inputs, echo(tmp_path, shapes, dtype)(*inputs), strict=True):
        assert (y.dtype, y.shape) == (x.dtype, x.shape)
        np.testing.assert_array_equal(y, x)


def test_output_that_is_the_input_is_a_copy(tmp_path: Path) -> None:
    network = echo(tmp_path, [(4,)], "float32")
    x = aligned_empty((4,), np.float32)
    x[...] = 1
    y = network(x)
    y += 1
    assert x.tolist() == [1, 1, 1, 1]


def test_outputs_are_the_callers(network: Network) -> None:
    first = network(X)
    kept = first.copy()
    for _ in range(10):
        network(X + 1)
    np.testing.assert_array_equal(first, kept)
    first[...] = 0
    np.testing.assert_array_equal(network(X), kept)


@pytest.mark.parametrize("threads", [1, 2])
def test_outputs_outlive_the_network(affine_path: Path, threads: int) -> None:
    network = niwaki.load(affine_path, threads=threads)
    result = network(X)
    part = result[1:]
    del network, result
    gc.collect()
    np.testing.assert_allclose(part, tiny_bundle.affine(X)[1:], rtol=1e-6)
    part[...] = 0


def test_file_may_go_while_loaded(tmp_path: Path) -> None:
    path = tiny_bundle.affine_bundle(tmp_path / "net.niwaki")
    network = niwaki.load(path)
    path.unlink()
    np.testing.assert_allclose(network(X), tiny_bundle.affine(X), rtol=1e-6)


def test_nested(nested: Network) -> None:
    x, a = np.array([1, 2], np.float32), np.array([10, 20], np.float32)
    b, scale = np.array([3, 4]), np.float32(5)
    expected = {"sum": [[11, 22]], "rest": ([6, 8], 10)}
    for result in (
        nested(x, (a, {"k": b}), None, scale=scale),
        nested(x, [a, {"k": b}], None, scale=scale),
        nested(x, a, b, scale),
    ):
        plain = {
            "sum": [result["sum"][0].tolist()],
            "rest": tuple(r.tolist() for r in result["rest"]),
        }
        assert plain == expected
        assert isinstance(result["sum"], list)
        assert isinstance(result["rest"], tuple)


V = np.zeros(2, np.float32)
B = np.zeros(2, np.int64)
S = np.float32(0)
EXPECTED = "3 positional arguments and keyword argument scale"
INPUTS = "(x: 2xfloat32, a: 2xfloat32, b: 2xint64, scale: float32)"


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, f"expected {EXPECTED} {INPUTS}; got 0 positional arguments"),
        ((V,), {"scale": S}, f"expected {EXPECTED} {INPUTS}; got 1 positional argument "
         "and keyword argument scale"),
        ((V, (V, {"k": B}), None), {"scale": S, "bias": S}, f"expected {EXPECTED} {INPUTS}; "
         "got 3 positional arguments and keyword arguments scale, bias"),
        ((V, (V, {"k": B}), V), {"scale": S},
         "argument 3 must be None, as it was when the model was compiled"),
        (((V,), (V, {"k": B}), None), {"scale": S},
         "argument 1 must be one array, got a tuple of 1"),
        ((None, (V, {"k": B}), None), {"scale": S}, "argument 1 must be one array, got None"),
        ((V, V, None), {"scale": S}, "argument 2 must be a tuple of 2, got one array"),
        ((V, (V,), None), {"scale": S}, "argument 2 must be a tuple of 2, got a tuple of 1"),
        ((V, (V, B), None), {"scale": S},
         "argument 2[1] must be a dict with keys k, got one array"),
        ((V, (V, {"j": B}), None), {"scale": S},
         "argument 2[1] must be a dict with keys k, got a dict with keys j"),
        ((V, (V, {}), None), {"scale": S},
         "argument 2[1] must be a dict with keys k, got an empty dict"),
        ((V, (V, {"k": [1, 2]}), None), {"scale": S},
         "argument 2[1]['k'] must be one array, got a list of 2"),
        ((V, (V, {"k": B}), None), {"scale": {}},
         "argument 'scale' must be one array, got an empty dict"),
        ((V, (V, {"k": V}), None), {"scale": S},
         "input 'b' must be int64 of shape 2, got float32 of shape 2"),
        ((V, (V, {"k": B}), None), {"scale": V},
         "input 'scale' must be float32 of shape () (a scalar), got float32 of shape 2"),
    ],
)  # fmt: skip
def test_wrong_arguments(
    nested: Network, args: tuple[Any, ...], kwargs: dict[str, Any], message: str
) -> None:
    assert refusal(lambda: nested(*args, **kwargs)) == message


class Unreadable:
    def __array__(self, *_: object, **__: object) -> Any:
        raise RuntimeError("it requires grad.\nCall detach() first")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (X.astype(np.float64), "must be float32 of shape 2x3, got float64 of shape 2x3"),
        (X[0].astype(np.float64), "must be float32 of shape 2x3, got float64 of shape 3"),
        (X[:, :2], "must be float32 of shape 2x3, got float32 of shape 2x2"),
        (X.astype(">f4"), "must be float32 of shape 2x3, got >f4 of shape 2x3"),
        ("text", "must be float32 of shape 2x3, got <U4 of shape () (a scalar)"),
        (Unreadable(), "cannot be read as a numpy array: it requires grad."),
    ],
)
def test_wrong_array(network: Network, x: Any, message: str) -> None:
    assert refusal(lambda: network(x)) == f"input 'x' {message}"
    np.testing.assert_allclose(network(X), tiny_bundle.affine(X), rtol=1e-6)


def test_many_threads(affine_path: Path) -> None:
    """Different inputs at once, one- and many-threaded networks alike."""
    for threads in (1, 2):
        network = niwaki.load(affine_path, threads=threads)
        wrong: list[int] = []

        def call(seed: int, network: Network = network, wrong: list[int] = wrong) -> None:
            x = np.full((2, 3), seed, np.float32)
            expected = tiny_bundle.affine(x)
            wrong += [seed for _ in range(200) if not np.array_equal(network(x), expected)]

        callers = [threading.Thread(target=call, args=(seed,)) for seed in range(8)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert wrong == []
        assert len(network._open_engine().idle) <= ((os.cpu_count() or 1) if threads == 1 else 1)


FAILS_ON_NEGATIVE = """
func.func @main(%x: tensor<1xi32>) -> tensor<1xi32> {
  %0 = arith.constant 0 : index
  %zero = arith.constant 0 : i32
  %value = tensor.extract %x[%0] : tensor<1xi32>
  %fine = arith.cmpi sge, %value, %zero : i32
  cf.assert %fine, "negative"
  %y = arith.addi %x, %x : tensor<1xi32>
  return %y : tensor<1xi32>
}
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_failed_call_leaves_the_network_usable(tmp_path: Path, threads: int) -> None:
    manifest = tiny_bundle.manifest({"x": ((1,), "int32")}, {"y": ((1,), "int32")})
    code = tiny_bundle.compiled(FAILS_ON_NEGATIVE)
    write_bundle(tmp_path / "net.niwaki", manifest, code, {})
    network = niwaki.load(tmp_path / "net.niwaki", threads=threads)
    for _ in range(3):
        assert network(np.array([2], np.int32)).tolist() == [4]
        with pytest.raises(RuntimeError, match="negative"):
            network(np.array([-2], np.int32))
    assert network(np.array([3], np.int32)).tolist() == [6]


def test_unknown_device(affine_path: Path) -> None:
    assert refusal(lambda: niwaki.load(affine_path, device="cuda")) == (
        "unknown device 'cuda': choose one of local, vulkan, together"
    )


def test_other_device(affine_path: Path) -> None:
    assert refusal(lambda: niwaki.load(affine_path, device="vulkan")) == (
        f"{affine_path} was compiled for device 'local' (target host), not 'vulkan'; "
        "compile the model for a target of that device (see `niwaki targets`)"
    )


AVX2_FLAGS = frozenset(TARGETS["x86-64-v3"].cpu_features)


def machine(monkeypatch: pytest.MonkeyPatch, name: str, flags: frozenset[str]) -> None:
    """Another one, of which the kernel lists these features."""
    monkeypatch.setattr(platform, "machine", lambda: name)
    for module in (device, host):
        monkeypatch.setattr(module, "cpu_flags", lambda: flags)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("x86_64", "compile the model with --target x86-64-v3"),
        (
            "riscv64",
            "no target of Niwaki's fits this machine (riscv64): "
            "Niwaki knows CPUs of x86_64 and aarch64",
        ),
    ],
)
def test_other_architecture(
    name: str, remedy: str, affine_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = altered(affine_path, architecture=("aarch64", "arm64"), target="arm64")
    machine(monkeypatch, name, AVX2_FLAGS)
    assert refusal(bundle.load) == (
        f"{affine_path} was compiled for aarch64 (target arm64), but this machine is {name}; "
        f"{remedy}"
    )


@pytest.mark.parametrize(
    ("flags", "remedy"),
    [
        (AVX2_FLAGS, "compile the model with --target x86-64-v3"),
        (AVX2_FLAGS | set(AVX512), "compile the model with --target x86-64-v4"),
        (
            AVX2_FLAGS - {"avx2", "fma"},
            "no target of Niwaki's fits this machine (x86_64): for x86-64-v3 it lacks avx2, fma",
        ),
    ],
)
def test_missing_cpu_features(
    flags: frozenset[str], remedy: str, affine_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never target host: where the model was compiled, that is another machine."""
    bundle = altered(affine_path, architecture=("x86_64",), cpu_features=("avx", "avx9000", "tea"))
    machine(monkeypatch, "x86_64", flags | {"avx"})
    assert refusal(bundle.load) == (
        f"{affine_path} (target host) needs CPU features that this machine lacks: avx9000, tea; "
        f"{remedy}"
    )


def test_missing_cpu_features_on_arm(affine_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = altered(affine_path, architecture=("aarch64",), cpu_features=("asimddp",))
    machine(monkeypatch, "aarch64", frozenset({"asimd"}))
    assert refusal(bundle.load).endswith("lacks: asimddp; compile the model with --target arm64")


def corrupt(path: Path, manifest: Manifest, code: bytes, weights: dict[str, np.ndarray]) -> str:
    write_bundle(path, manifest, code, weights)
    return refusal(lambda: niwaki.load(path))


def test_module_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "net.niwaki"
    message = corrupt(path, tiny_bundle.affine_manifest(), b"no code" * 100, tiny_bundle.WEIGHTS)
    assert message.startswith(f"{path}: IREE 3")
    assert "cannot load the module that Niwaki 0.0.test compiled (" in message
    assert message.endswith("); compile the model again")


def test_module_without_the_function(tmp_path: Path) -> None:
    manifest = replace(tiny_bundle.affine_manifest(), function="side")
    code = tiny_bundle.compiled(tiny_bundle.AFFINE, "host")
    message = corrupt(tmp_path / "net.niwaki", manifest, code, tiny_bundle.WEIGHTS)
    assert message.endswith("(it has no function 'side'); compile the model again")


def test_module_without_its_weights(tmp_path: Path) -> None:
    code = tiny_bundle.compiled(tiny_bundle.AFFINE, "host")
    weights = {"w": tiny_bundle.WEIGHTS["w"]}
    message = corrupt(tmp_path / "net.niwaki", tiny_bundle.affine_manifest(), code, weights)
    assert "NOT_FOUND" in message


@pytest.mark.requires_vulkan
def test_vulkan(tmp_path: Path) -> None:
    path = tiny_bundle.affine_bundle(tmp_path / "net.niwaki", "vulkan")
    network = niwaki.load(path, device="vulkan")
    assert network.device == "vulkan"
    for x in (X, X + 1, np.asfortranarray(X)):
        np.testing.assert_allclose(network(x), tiny_bundle.affine(x), rtol=1e-6)
    result = network(X)
    del network
    gc.collect()
    result += 1
    np.testing.assert_allclose(result, tiny_bundle.affine(X) + 1, rtol=1e-6)


@pytest.mark.requires_vulkan
def test_vulkan_from_many_threads(tmp_path: Path) -> None:
    network = niwaki.load(tiny_bundle.affine_bundle(tmp_path / "net.niwaki", "vulkan"))
    results: dict[int, Any] = {}

    def call(seed: int) -> None:
        for _ in range(10):
            results[seed] = network(X + seed)

    callers = [threading.Thread(target=call, args=(seed,)) for seed in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for seed, result in results.items():
        np.testing.assert_allclose(result, tiny_bundle.affine(X + seed), rtol=1e-6)
    assert len(results) == 4


def test_no_vulkan_device(tmp_path: Path) -> None:
    path = tiny_bundle.affine_bundle(tmp_path / "net.niwaki", "vulkan")
    environment = {**os.environ, "VK_DRIVER_FILES": "/none", "VK_ICD_FILENAMES": "/none"}
    command = [sys.executable, "-c", f"import niwaki; niwaki.load({str(path)!r})"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        "niwaki.errors.NiwakiError: no Vulkan device on this machine: install its Vulkan driver "
        "(mesa-vulkan-drivers has a software one), or compile the model for a CPU target"
    )


def test_no_inputs(tmp_path: Path) -> None:
    source = """
    func.func @main() -> tensor<2xf32> {
      %y = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
      return %y : tensor<2xf32>
    }
    """
    manifest = tiny_bundle.manifest({}, {"y": ((2,), "float32")})
    write_bundle(tmp_path / "net.niwaki", manifest, tiny_bundle.compiled(source), {})
    network = niwaki.load(tmp_path / "net.niwaki")
    result = network()
    result += 1
    assert network().tolist() == [1, 2]
    assert refusal(lambda: network(X)) == (
        "expected 0 positional arguments; got 1 positional argument"
    )


def test_signature_is_the_manifests(network: Network) -> None:
    spec = ((2, 3), "float32")
    assert network.signature == Signature(
        (TensorSpec("x", *spec),),
        (TensorSpec("y", *spec),),
        {"tuple": [{"tuple": [0]}, {"dict": {}}]},
        0,
    )


def test_runs_without_the_compiler(affine_path: Path) -> None:
    """Where neither PyTorch nor torch-mlir nor IREE's compiler can be imported."""
    program = f"""
import sys
for name in ("torch", "torch_mlir", "iree.compiler"):
    sys.modules[name] = None
import niwaki.runtime, niwaki, numpy
from niwaki.runtime import measure, report
network = niwaki.load({str(affine_path)!r})
measure.bench(network, 1, 1)
print(network.bundle.report())
print(network(numpy.zeros((2, 3), numpy.float32)).tolist())
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == str([[0.5] * 3] * 2)


@pytest.mark.parametrize("threads", [1, 2])
def test_exit_while_all_is_alive(affine_path: Path, threads: int) -> None:
    """IREE crashes when a buffer goes after its device, and at exit things go in any order."""
    program = f"""
import niwaki, numpy
a_network = niwaki.load({str(affine_path)!r}, threads={threads})
z_network = niwaki.load({str(affine_path)!r}, threads={threads})
x = numpy.zeros((2, 3), numpy.float32)
results = [network(x) for network in (a_network, z_network) for _ in range(3)]
b_result = results[0][1:]
try:
    a_network(x[0])
except niwaki.NiwakiError as error:
    kept = error
"""
    command = [sys.executable, "-X", "faulthandler", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
