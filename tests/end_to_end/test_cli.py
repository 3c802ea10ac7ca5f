"""The command line, its output, and each line that it says of a user's mistake."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click.testing
import numpy as np
import pytest
import tiny_bundle

from niwaki.cli import main
from niwaki.errors import CompilerBug, NiwakiError, NiwakiWarning
from niwaki.progress import Progress
from niwaki.runtime.bundle import Bundle, open_bundle, write_bundle
from niwaki.runtime.quantities import size_text
from niwaki.targets import NAMES
from niwaki.tuning.settings import Tuning

X = np.arange(6, dtype=np.float32).reshape(2, 3)
Run = Callable[..., click.testing.Result]

PAIR = """
func.func @main(%x: tensor<2xf32>, %n: tensor<2xi64>) -> (tensor<2xf32>, tensor<2xi64>) {
  %y = arith.addf %x, %x : tensor<2xf32>
  %m = arith.addi %n, %n : tensor<2xi64>
  return %y, %m : tensor<2xf32>, tensor<2xi64>
}
"""


@pytest.fixture(scope="module")
def affine_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle.affine_bundle(tmp_path_factory.mktemp("bundles") / "affine.niwaki")


@pytest.fixture(scope="module")
def pair_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "pair.niwaki"
    floats, integers = ((2,), "float32"), ((2,), "int64")
    tensors = {"x": floats, "n": integers}
    manifest = tiny_bundle.manifest(tensors, {"y": floats, "file": integers})
    write_bundle(path, manifest, tiny_bundle.compiled(PAIR), {})
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with x.npy in it."""
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    return tmp_path


@pytest.fixture
def run() -> Run:
    def invoke(*arguments: object) -> click.testing.Result:
        return click.testing.CliRunner().invoke(main, [*map(str, arguments)])

    return invoke


def succeeded(result: click.testing.Result) -> str:
    assert (result.exit_code, result.stderr, result.exception) == (0, "", None)
    return result.stdout


def refused(result: click.testing.Result) -> str:
    """The one line that tells a user's mistake."""
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


# compile


class _Silent:
    """Equals what hears the progress of a compilation and shows nothing."""

    def __eq__(self, other: object) -> bool:
        return type(other) is Progress


SILENT = _Silent()


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch, affine_path: Path) -> list[dict[str, Any]]:
    """A stand-in for the compiler, and the calls it got."""
    calls: list[dict[str, Any]] = []

    def compile_network(model: str, **options: Any) -> Bundle:
        calls.append({"model": model, **options})
        if model == "missing.py:f":
            raise NiwakiError("missing.py does not exist")
        if model == "odd.py:f":
            raise CompilerBug("pass x failed; to reproduce: niwaki-opt")
        return open_bundle(affine_path)

    stand_in = types.ModuleType("niwaki.compiler")
    stand_in.compile = compile_network  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "niwaki.compiler", stand_in)
    return calls


def test_compile(run: Run, compiler: list[dict[str, Any]], affine_path: Path) -> None:
    output = succeeded(run("compile", "net.py:make", "-o", "net.niwaki", "--target", "arm64"))
    assert output.splitlines()[0].split()[:2] == ["layer", "op"]
    size = size_text(affine_path.stat().st_size)
    wrote = rf"wrote {re.escape(str(affine_path))}: {size}, compiled in \d+\.\d s"
    assert re.fullmatch(wrote, output.splitlines()[-1])
    assert compiler == [
        {
            "model": "net.py:make",
            "target": "arm64",
            "output": "net.niwaki",
            "batch": None,
            "shapes": {},
            "constants": {},
            "states": {},
            "lengths": None,
            "weights": None,
            "precision": "f32",
            "tolerance": None,
            "calibrate": None,
            "golden": None,
            "place": None,
            "dump_ir": None,
            "trim_threshold": 0.0,
            "without": (),
            "tune": False,
            "progress": SILENT,
        }
    ]


@pytest.mark.parametrize(
    ("model", "output"),
    [
        ("nets/resnet.py:make", "resnet.niwaki"),
        ("resnet.v2.onnx", "resnet.v2.niwaki"),
        ("../resnet.pt2", "resnet.niwaki"),
        ("a:b/resnet.mlir", "resnet.niwaki"),
    ],
)
def test_compile_names_the_bundle(
    run: Run, compiler: list[dict[str, Any]], model: str, output: str
) -> None:
    """After the model, in the current folder."""
    succeeded(run("compile", model))
    assert compiler[0]["output"] == output


def test_compile_defaults(run: Run, compiler: list[dict[str, Any]]) -> None:
    options = ("--dump-ir", "ir", "--batch", "4", "--trim-threshold", "1e-3", "--precision", "f16")
    within = ("--tolerance", "0.01", "--calibrate", "images.npz")
    without = (
        "--without",
        "one",
        "--without",
        "two",
        "--weights",
        "net.pth",
        "--state",
        "h=h_next",
        "--lengths",
        "8,16",
        "--golden",
        "--place",
        "head.*=vulkan",
        "--place",
        "auto",
    )
    succeeded(run("compile", "net.pt2", "-o", "net.niwaki", *options, *within, *without))
    assert compiler == [
        {
            "model": "net.pt2",
            "target": "host",
            "output": "net.niwaki",
            "batch": 4,
            "shapes": {},
            "constants": {},
            "states": {"h": "h_next"},
            "lengths": [8, 16],
            "weights": "net.pth",
            "precision": "f16",
            "tolerance": 0.01,
            "calibrate": "images.npz",
            "golden": True,
            "place": {"head.*": "vulkan", "*": "auto"},
            "dump_ir": "ir",
            "trim_threshold": 0.001,
            "without": ("one", "two"),
            "tune": False,
            "progress": SILENT,
        }
    ]


def test_compile_tunes(run: Run, compiler: list[dict[str, Any]]) -> None:
    options = ("--tune", "--tune-db", "a.db", "--tune-trials", "5", "--tune-workers", "ray://b")
    succeeded(run("compile", "net.pt2", "-o", "net.niwaki", *options))
    succeeded(run("compile", "net.pt2", "-o", "net.niwaki", "--tune"))
    assert [call["tune"] for call in compiler] == [Tuning(Path("a.db"), 5, "ray://b"), Tuning()]


def test_compile_tunes_from_times(run: Run, compiler: list[dict[str, Any]]) -> None:
    options = ("--tune-from", "a.json", "--tune-from", "b.json")
    succeeded(run("compile", "net.pt2", "-o", "net.niwaki", *options))
    times = (Path("a.json"), Path("b.json"))
    assert [call["tune"] for call in compiler] == [Tuning(device_times=times)]
    result = run("compile", "net.pt2", "-o", "net.niwaki", "--tune", *options)
    assert result.exit_code == 2
    assert "--tune measures here, --tune-from measures nothing: give one" in result.stderr


@pytest.mark.parametrize("option", ["--tune-db", "--tune-trials", "--tune-workers"])
def test_compile_with_half_of_the_options(run: Run, option: str) -> None:
    result = run("compile", "net.pt2", "-o", "net.niwaki", option, "1")
    assert result.exit_code == 2
    assert "--tune-db, --tune-trials and --tune-workers need --tune" in result.stderr


@pytest.mark.usefixtures("compiler")
def test_compile_refused(run: Run) -> None:
    result = run("compile", "missing.py:f", "-o", "net.niwaki")
    assert refused(result) == "missing.py does not exist"


@pytest.mark.usefixtures("compiler")
def test_compile_finds_a_bug_of_ours(run: Run) -> None:
    result = run("compile", "odd.py:f", "-o", "net.niwaki")
    assert result.exit_code == 3
    assert result.stderr == "internal error: pass x failed; to reproduce: niwaki-opt\n"


# run


def test_run_writes_npy(run: Run, folder: Path, affine_path: Path) -> None:
    assert succeeded(run("run", affine_path, "--input", "x.npy", "--output", "y.npy")) == ""
    np.testing.assert_allclose(np.load("y.npy"), tiny_bundle.affine(X), rtol=1e-6)
    assert sorted(os.listdir(folder)) == ["x.npy", "y.npy"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("options", [(), ("--threads", 2), ("--device", "local")])
def test_run_prints_a_summary(run: Run, affine_path: Path, options: tuple[object, ...]) -> None:
    output = succeeded(run("run", affine_path, "--input", "x.npy", *options))
    assert output == "y: 2x3xfloat32  minimum 0.5, maximum 25.5, mean 9.66667\n"


def test_run_with_several_inputs_and_outputs(run: Run, folder: Path, pair_path: Path) -> None:
    np.save("a.npy", np.array([1, 2], np.float32))
    np.save("b.npy", np.array([3, 4]))
    inputs = ("--input", "a.npy", "--input", "b.npy")
    succeeded(run("run", pair_path, *inputs, "--output", "y.npy", "--output", "m.npy"))
    assert np.load("y.npy").tolist() == [2, 4]
    assert np.load("m.npy").tolist() == [6, 8]
    succeeded(run("run", pair_path, *inputs, "--output", "all.npz"))
    with np.load("all.npz") as everything:
        assert {name: everything[name].tolist() for name in everything} == {
            "y": [2, 4],
            "file": [6, 8],
        }
    assert succeeded(run("run", pair_path, *inputs)).splitlines() == [
        "y: 2xfloat32  minimum 2, maximum 4, mean 3",
        "file: 2xint64  minimum 6, maximum 8, mean 7",
    ]
    assert len(os.listdir(folder)) == 6


def test_run_without_inputs(run: Run, affine_path: Path, pair_path: Path) -> None:
    assert refused(run("run", affine_path)) == (
        "the network has 1 input (x): give as many --input FILE.npy, in order"
    )
    assert refused(run("run", pair_path, "--input", "x.npy")) == (
        "the network has 2 inputs (x, n): give as many --input FILE.npy, in order"
    )


def test_run_with_a_wrong_input(run: Run, folder: Path, affine_path: Path) -> None:
    np.save("wrong.npy", np.zeros((2, 4)))
    result = run("run", affine_path, "--input", "wrong.npy", "--output", "y.npy")
    assert refused(result) == ("input 'x' must be float32 of shape 2x3, got float64 of shape 2x4")
    assert sorted(os.listdir(folder)) == ["wrong.npy", "x.npy"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (("y.npy",), "the network has 2 outputs (y, file): give as many --output FILE.npy, "
         "or one --output FILE.npz for all"),
        (("y.npy", "m.npz"), "the network has 2 outputs (y, file): give as many --output FILE.npy, "
         "or one --output FILE.npz for all"),
        (("y.txt",), "cannot write y.txt: name it .npy (one output) or .npz (all outputs)"),
        (("none/y.npy", "m.npy"),
         "cannot write none/y.npy: folder none does not exist; create it first"),
        (("none/all.npz",),
         "cannot write none/all.npz: folder none does not exist; create it first"),
    ],
)  # fmt: skip
def test_run_with_wrong_outputs(
    run: Run, pair_path: Path, paths: tuple[str, ...], message: str
) -> None:
    np.save("a.npy", np.zeros(2, np.float32))
    np.save("b.npy", np.zeros(2, np.int64))
    options = [option for path in paths for option in ("--output", path)]
    result = run("run", pair_path, "--input", "a.npy", "--input", "b.npy", *options)
    assert refused(result) == message


def empty(path: Path) -> None:
    path.touch()


def text(path: Path) -> None:
    path.write_text("1 2 3")


def objects(path: Path) -> None:
    np.save(path, np.array([print], dtype=object), allow_pickle=True)


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps([1.0]))


def truncated(path: Path) -> None:
    np.save(path, np.zeros(100))
    path.write_bytes(path.read_bytes()[:300])


def enormous(path: Path) -> None:
    np.save(path, np.zeros(7))
    path.write_bytes(
        path.read_bytes().replace(b"(7,), }            ", b"(7" + b"0" * 14 + b",), }")
    )


def zipped(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04 and no more")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("make", [empty, text, objects, pickled, truncated, enormous, zipped])
def test_run_with_no_npy(run: Run, affine_path: Path, make: Callable[[Path], None]) -> None:
    make(Path("in.npy"))
    assert refused(run("run", affine_path, "--input", "in.npy")) == (
        "in.npy is no .npy file of a plain array; write it with numpy.save"
    )


@pytest.mark.usefixtures("folder")
def test_run_with_npz(run: Run, affine_path: Path) -> None:
    np.savez("x.npz", x=X)
    assert refused(run("run", affine_path, "--input", "x.npz")) == (
        "x.npz holds several arrays; give one --input FILE.npy for each"
    )


@pytest.mark.usefixtures("folder")
def test_run_with_missing_input(run: Run, affine_path: Path) -> None:
    assert refused(run("run", affine_path, "--input", "z.npy")) == "z.npy does not exist"


def test_run_with_folder_as_input(run: Run, folder: Path, affine_path: Path) -> None:
    result = run("run", affine_path, "--input", folder)
    assert refused(result) == f"cannot read {folder}: Is a directory"


def test_run_on_another_device(run: Run, affine_path: Path) -> None:
    assert refused(run("run", affine_path, "--device", "vulkan")).startswith(
        f"{affine_path} was compiled for device 'local' (target host), not 'vulkan'"
    )


@pytest.mark.parametrize("command", ["run", "bench", "inspect"])
def test_no_such_bundle(run: Run, tmp_path: Path, command: str) -> None:
    path = tmp_path / "net.niwaki"
    assert refused(run(command, path)) == (
        f"{path} does not exist; write it with `niwaki compile MODEL -o {path}`"
    )


def test_run_of_a_network_without_values(run: Run, tmp_path: Path) -> None:
    source = "func.func @main(%x: tensor<0xf32>) -> tensor<0xf32> { return %x : tensor<0xf32> }"
    nothing = ((0,), "float32")
    path = tmp_path / "net.niwaki"
    manifest = tiny_bundle.manifest({"x": nothing}, {"y": nothing})
    write_bundle(path, manifest, tiny_bundle.compiled(source), {})
    np.save(tmp_path / "x.npy", np.zeros(0, np.float32))
    output = succeeded(run("run", path, "--input", tmp_path / "x.npy"))
    assert output == "y: 0xfloat32  empty\n"


# bench


def test_bench(run: Run, affine_path: Path) -> None:
    output = succeeded(run("bench", affine_path, "--repetitions", 3, "--warmup", 1))
    assert output.startswith("median ")
    assert output.endswith(" ms (3 calls after 1, 1 thread)\n")


def test_bench_json(run: Run, affine_path: Path) -> None:
    value = json.loads(succeeded(run("bench", affine_path, "--threads", 2, "--json")))
    assert set(value) == {
        "median", "p90", "minimum", "repetitions", "warmup", "threads", "device",
    }  # fmt: skip
    assert (value["threads"], value["device"], value["repetitions"]) == (2, "local", 50)


@pytest.mark.requires_vulkan
def test_bench_on_vulkan(run: Run, tmp_path: Path) -> None:
    path = tiny_bundle.affine_bundle(tmp_path / "net.niwaki", "vulkan")
    output = succeeded(run("bench", path, "--repetitions", 2, "--warmup", 0))
    assert output.endswith("(2 calls after 0, vulkan)\n")


# inspect


def test_inspect(run: Run, affine_path: Path) -> None:
    manifest = open_bundle(affine_path).manifest
    needs = [manifest.architecture[0], *manifest.cpu_features]
    first, *lines = succeeded(run("inspect", affine_path)).splitlines()
    assert first == f"{affine_path}: compiled by Niwaki 0.0.test for host"
    assert max(map(len, lines)) <= 80
    code = next(number for number, line in enumerate(lines) if line.startswith("code "))
    assert " ".join(lines[:code]).split() == ["needs", *needs]
    assert lines[code].endswith(" kB, weights 344 B")
    assert lines[code + 1 : code + 4] == ["input  x: 2x3xfloat32", "output y: 2x3xfloat32", ""]
    assert lines[code + 4].split() == ["layer", "op", "scheme", "kernel", "kept"]
    assert lines[-2:] == ["tile of 2 rows", "    conv1"]


def test_inspect_needs_not_the_machine(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "net.niwaki"
    manifest = tiny_bundle.manifest({}, {}, target="vulkan")
    write_bundle(path, manifest, b"no code", {})
    assert succeeded(run("inspect", path)).splitlines()[0] == (
        f"{path}: compiled by Niwaki 0.0.test for vulkan"
    )


def test_inspect_json(run: Run, affine_path: Path) -> None:
    value = json.loads(succeeded(run("inspect", affine_path, "--json")))
    assert value["target"] == "host"
    assert value["totals"]["kept"] == 70
    assert value["weights_bytes"] == 344
    assert [layer["name"] for layer in value["layers"]] == ["conv1", "fc"]


# targets, help, usage


def test_targets(run: Run) -> None:
    lines = succeeded(run("targets")).splitlines()
    assert [line.split()[0] for line in lines[::2]] == [*NAMES]
    assert all(len(line) <= 80 for line in lines)
    told = dict(zip(NAMES, map(str.strip, lines[1::2]), strict=True))
    assert told["arm64-android"] == "layers of f32, f16; tested by emulation"
    assert told["x86-64-v3"] == "layers of f32, f16 (sums f32); tested on such CPUs"
    assert told["vulkan"] == "layers of f32; tested on Mesa's software driver"


def test_targets_on_an_unknown_machine(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    lines = succeeded(run("targets")).splitlines()
    assert [line.split()[0] for line in lines[::2]] == [*NAMES[1:]]


def test_help_lists_all_commands(run: Run) -> None:
    output = succeeded(run("--help"))
    for command in main.commands:
        assert f"\n  {command} " in output
    summaries = output.partition("Commands:")[2]
    assert "..." not in summaries  # each first sentence fits its line


@pytest.mark.parametrize(
    "arguments",
    [
        ("grow",),
        ("compile",),
        ("run", "net.niwaki", "--threads", "0"),
        ("run", "net.niwaki", "--device", "cuda"),
        ("bench", "net.niwaki", "--repetitions", "none"),
    ],
)
def test_wrong_usage(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: ")


def test_as_a_program(tmp_path: Path) -> None:
    path = tmp_path / "net.niwaki"
    command = [sys.executable, "-m", "niwaki", "inspect", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: {path} does not exist; write it with `niwaki compile MODEL -o {path}`\n"
    )


def test_warnings_are_one_line(
    run: Run, affine_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def warned(*_: Any) -> Any:
        warnings.warn("net.niwaki: the code for vulkan is not used", NiwakiWarning, stacklevel=1)
        return open_bundle(affine_path)

    monkeypatch.setattr("niwaki.runtime.bundle.open_bundle", warned)
    result = run("inspect", str(affine_path))
    assert result.stderr == "warning: net.niwaki: the code for vulkan is not used\n"
    assert result.exit_code == 0
