"""`niwaki deploy` on a phone that is a folder, whose programs QEMU runs."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click.testing
import fake_adb
import pytest
import tiny_bundle
import torch
from fake_adb import A76, PHONE, FakePhone
from processes import is_gone, wait_for_pid

import niwaki
from niwaki.cli import main
from niwaki.runtime.bundle import write_bundle
from niwaki.runtime.emulate import Emulator

SHORT = ("--warmup", "1", "--repetitions", "3")
OTHER = "b55  device usb:1-2 product:fake model:Other device:fake transport_id:2"
MIXED = """
func.func @main(%x: tensor<2x3xf32>, %n: tensor<4xi8>)
    -> (tensor<2x3xi1>, tensor<4xi8>, tensor<f32>) {
  %zero = arith.constant dense<0.0> : tensor<2x3xf32>
  %half = arith.constant dense<0.5> : tensor<f32>
  %above = arith.cmpf ogt, %x, %zero : tensor<2x3xf32>
  %twice = arith.addi %n, %n : tensor<4xi8>
  return %above, %twice, %half : tensor<2x3xi1>, tensor<4xi8>, tensor<f32>
}
"""
Run = Callable[..., click.testing.Result]


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePhone:
    """A phone on the cable, and an empty working folder."""
    made = FakePhone(tmp_path)
    made.install(monkeypatch)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return made


@pytest.fixture(scope="module")
def affine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "affine.niwaki"
    return tiny_bundle.affine_bundle(path, "arm64-android")


@pytest.fixture
def own_runtime(tmp_path: Path) -> Path:
    return fake_adb.own_runtime(tmp_path / "runtime")


def deploy(*arguments: object) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, ["deploy", *map(str, arguments)])


def succeeded(result: click.testing.Result) -> str:
    assert (result.exit_code, result.exception) == (0, None), result.output
    return result.stdout


def refused(result: click.testing.Result) -> str:
    """The one line that tells what is wrong."""
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    (line,) = [one for one in result.stderr.splitlines() if not one.startswith("running on")]
    assert not Path("times.json").exists()
    return line.removeprefix("error: ")


@pytest.mark.requires_qemu
def test_pruned_network(phone: FakePhone, arm64: Emulator) -> None:
    """Compiled for a phone's GPU and CPU, run on the latter; then times are shown without it."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(4, 16, 3), torch.nn.ReLU(), torch.nn.Flatten())
    model.append(torch.nn.Linear(16 * 6 * 6, 5)).eval()
    kept = torch.rand(2, 4, 3, 3) < 0.3
    model[0].weight.data *= kept.repeat_interleave(8, dim=0)
    bundle = niwaki.compile(
        model, torch.randn(1, 4, 8, 8), target="vulkan+arm64-android", output="net.niwaki"
    ).for_target("arm64-android")
    told = succeeded(deploy(bundle.path, "--adb", "--cores", "f0", *SHORT))
    assert re.match(r"Fake Phone: median \d+\.\d+ ms, .*\(3 calls after 1, 1 thread\)", told)
    assert "3 runs gave the same; outputs off by at most " in told
    assert "compared with the bundle's golden ones\nwrote times.json" in told
    assert phone.files == []
    times = json.loads(Path("times.json").read_text())
    assert [run["kernel"] for run in times["layers"]["runs"]] == [
        run.kernel for run in bundle.manifest.dispatches
    ]

    def bench(*options: str) -> str:
        command = ["bench", "net.niwaki", "--from-device", "times.json", *options]
        return succeeded(click.testing.CliRunner().invoke(main, command))

    assert bench() == told.splitlines()[0] + "\n"
    assert bench("--layers") in told
    assert json.loads(bench("--json")) == times["calls"]
    assert json.loads(bench("--layers", "--json")) == times["layers"]

    (kernel,) = [one for one in times["kernels"] if one["layer"] == "0"]
    kernel["took_ns"] = 1000 * kernel["estimated_ns"]
    Path("times.json").write_text(json.dumps(times))
    tune = niwaki.Tuning(device_times=(Path("times.json"),))
    tuned = niwaki.compile(
        model, torch.randn(1, 4, 8, 8), target="arm64-android", output="tuned.niwaki", tune=tune
    )
    assert tuned.layers[0].family != bundle.layers[0].family


@pytest.mark.requires_qemu
def test_exported_folder(phone: FakePhone, affine: Path) -> None:
    """By hand what --adb does."""
    wrote = succeeded(deploy(affine, "--export", "folder", *SHORT))
    assert wrote.startswith("wrote folder: copy it to the device, start `sh run.sh` there")
    place = "/data/local/tmp/mine"
    told = refused(deploy(affine, "--export", "missing/folder"))
    assert told == "cannot write missing/folder: No such file or directory"
    unfinished = refused(deploy(affine, "--read", "folder"))
    assert "has no plan.json: the run was not finished" in unfinished
    for command in (
        ["push", "folder", place],
        ["shell", f"sh {place}/run.sh"],
        ["pull", f"{place}/results", "folder/results"],
    ):
        subprocess.run(["adb", "-s", "a76", *command], check=True)
    told = succeeded(deploy(affine, "--read", "folder"))
    assert "a call, " in told
    assert "3 runs gave the same; outputs off by at most 0.0e+00 of the largest" in told
    assert "compared with those of QEMU's emulator\n" in told
    again = deploy(affine, "--export", "folder")
    assert again.stderr == "error: folder is there and not empty: name a new folder\n"


@pytest.mark.requires_qemu
def test_threads_and_types(phone: FakePhone) -> None:
    """Truth values and bytes come back as what they are; a pool of threads runs it."""
    inputs = {"x": ((2, 3), "float32"), "n": ((4,), "int8")}
    outputs = {"above": ((2, 3), "bool"), "twice": ((4,), "int8"), "half": ((), "float32")}
    manifest = tiny_bundle.manifest(inputs, outputs, target="arm64")
    write_bundle("mixed.niwaki", manifest, tiny_bundle.compiled(MIXED, "arm64"), {})
    told = succeeded(deploy("mixed.niwaki", "--adb", "--threads", 2, *SHORT))
    assert "(3 calls after 1, 2 threads)" in told
    assert "off by at most 0.0e+00" in told
    assert json.loads(Path("times.json").read_text())["layers"] is None
    command = ["bench", "mixed.niwaki", "--from-device", "times.json", "--layers"]
    result = click.testing.CliRunner().invoke(main, command)
    assert "times.json has no times of layers" in result.stderr


@pytest.mark.parametrize(
    ("devices", "options", "message"),
    [
        ([], (), "adb finds no device: connect one, and switch on USB debugging"),
        ([PHONE, OTHER], (), "adb finds several devices (a76, b55): choose one with --serial"),
        ([PHONE], ("--serial", "c7"), "adb finds no device c7: it has a76"),
        (
            ["a76  unauthorized usb:1-1 transport_id:1"],
            (),
            "device a76 is unauthorized: unlock it and allow USB debugging from this computer",
        ),
        (["a76  offline transport_id:1"], (), "device a76 is offline: connect it again, or"),
        (
            ["a76  no permissions (user in plugdev group); see [http://x]"],
            (),
            "device a76 is not permitted to this user: allow this user to use it",
        ),
        (["a76  recovery usb:1-1"], (), "device a76 is recovery: start it as usual"),
    ],
)
def test_devices(
    devices: list[str],
    options: tuple[str, ...],
    message: str,
    phone: FakePhone,
    affine: Path,
    own_runtime: Path,
) -> None:
    phone.lists(*devices)
    assert refused(deploy(affine, "--adb", "--runtime", own_runtime, *options)).startswith(message)


def test_device_that_a_variable_names(
    phone: FakePhone, affine: Path, own_runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As adb does itself."""
    phone.lists(PHONE, OTHER)
    phone.has_abi("x86_64")
    monkeypatch.setenv("ANDROID_SERIAL", "b55")
    assert refused(deploy(affine, "--adb", "--runtime", own_runtime)).startswith("Other (serial b5")


def test_no_adb(affine: Path, own_runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(own_runtime))
    message = "no adb on PATH: install Android's platform tools (package adb), or write a folder"
    assert message in refused(deploy(affine, "--adb", "--runtime", own_runtime))


def test_adb_that_fails(phone: FakePhone, affine: Path, own_runtime: Path) -> None:
    (phone.home / "bin/adb").write_text("#!/bin/sh\necho 'cannot bind' >&2\nexit 1\n")
    told = refused(deploy(affine, "--adb", "--runtime", own_runtime))
    assert told == "adb failed: cannot bind"


def test_other_architecture(phone: FakePhone, affine: Path, own_runtime: Path) -> None:
    phone.has_abi("armeabi-v7a")
    told = refused(deploy(affine, "--adb", "--runtime", own_runtime))
    assert "Fake Phone (serial a76) is of architecture armeabi-v7a" in told
    assert "choose a 64-bit ARM device" in told


def test_core_without_a_feature(phone: FakePhone, affine: Path, own_runtime: Path) -> None:
    """One of the small cores lacks it."""
    phone.has_cores("fp asimd asimddp atomics", A76)
    told = refused(deploy(affine, "--adb", "--runtime", own_runtime))
    assert "needs CPU features that a core of Fake Phone (serial a76) lacks: asimdhp" in told
    assert told.endswith("compile the model with --target arm64")


@pytest.mark.parametrize(
    ("fault", "message", "left"),
    [
        ("full", r"no space on Fake Phone \(serial a76\): \d+\.\d MB are needed in", False),
        ("half", r"Fake Phone \(serial a76\) was lost while it was used: connect it", True),
        ("lost", r"Fake Phone \(serial a76\) was lost while it was used: connect it", True),
        ("killed", r"Fake Phone \(serial a76\) could not run the network: Killed$", False),
        ("torn", r"cannot fetch results from Fake Phone \(serial a76\): failed to copy", False),
        ("mute", r"cannot ask Fake Phone \(serial a76\) what it is: closed$", False),
    ],
)
def test_faults(
    fault: str, message: str, left: bool, phone: FakePhone, affine: Path, own_runtime: Path
) -> None:
    """Nothing stays on the device, if it is still there."""
    phone.fails(fault)
    assert re.match(message, refused(deploy(affine, "--adb", "--runtime", own_runtime)))
    assert bool(phone.files) == left
    phone.lists(PHONE)
    phone.fails("killed")
    refused(deploy(affine, "--adb", "--runtime", own_runtime))
    assert phone.files == []


def test_stopped(phone: FakePhone, affine: Path, own_runtime: Path) -> None:
    """Nothing stays on the device."""
    phone.fails("slow")
    command = [sys.executable, "-m", "niwaki", "deploy", str(affine), "--adb", "--runtime"]
    process = subprocess.Popen([*command, str(own_runtime)], stderr=subprocess.PIPE, text=True)
    adb = wait_for_pid(phone.home / "running")
    assert phone.files
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors.splitlines()[-1]) == (143, "error: stopped by SIGTERM")
    assert is_gone(adb)
    for _ in range(400):
        if not phone.files:
            return
        time.sleep(0.05)
    raise AssertionError(phone.files)


def test_programs_that_do_not_run(phone: FakePhone, affine: Path, own_runtime: Path) -> None:
    """The script's own words reach the user."""
    told = refused(deploy(affine, "--adb", "--runtime", own_runtime))
    assert "Fake Phone (serial a76) could not run the network: iree-run-module failed: " in told


@pytest.mark.requires_qemu
def test_module_that_does_not_run(phone: FakePhone) -> None:
    """IREE's error is told, not the calls that led there."""
    manifest = replace(tiny_bundle.affine_manifest("arm64"), function="other")
    module = tiny_bundle.compiled(tiny_bundle.AFFINE, "arm64")
    write_bundle("net.niwaki", manifest, module, tiny_bundle.WEIGHTS)
    told = refused(deploy("net.niwaki", "--adb"))
    assert re.search(r"could not run the network: iree-run-module failed: .*: NOT_FOUND; ", told)


@pytest.mark.requires_qemu
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("wrong", r"output y is wrong on this device: off by .* of its largest magnitude, compare"),
        ("wavering", r"output y is not repeatable on this device: run 3 differs .* 1 of 6 numbers"),
    ],
)
def test_wrong_results(fault: str, message: str, phone: FakePhone, affine: Path) -> None:
    phone.fails(fault)
    assert re.match(message, refused(deploy(affine, "--adb", *SHORT)))
    assert phone.files == []


def test_script_refuses_a_core(phone: FakePhone, affine: Path, own_runtime: Path) -> None:
    """An exported folder finds out by itself."""
    succeeded(deploy(affine, "--export", "folder", "--runtime", own_runtime))
    phone.has_cores("fp asimd asimddp atomics", A76)
    adb = ["adb", "-s", "a76"]
    subprocess.run([*adb, "push", "folder", "/data/local/tmp/mine"], check=True)
    done = subprocess.run(
        [*adb, "shell", "sh /data/local/tmp/mine/run.sh"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "niwaki: a core of this device lacks asimdhp, which target arm64-android" in done.stderr


def test_bundles_that_need_more(own_runtime: Path, tmp_path: Path) -> None:
    host = tiny_bundle.affine_bundle(tmp_path / "host.niwaki", "x86-64-v3")
    told = refused(deploy(host, "--export", tmp_path / "x"))
    assert "compile the model with --target arm64-android or arm64" in told
    gpu = tmp_path / "gpu.niwaki"
    write_bundle(gpu, tiny_bundle.affine_manifest("vulkan"), b"", tiny_bundle.WEIGHTS)
    told = refused(deploy(gpu, "--export", tmp_path / "x"))
    assert "is for Vulkan, whose drivers on Android need programs built with the NDK" in told
    succeeded(deploy(gpu, "--export", tmp_path / "x", "--runtime", own_runtime))
    assert "--device=vulkan" in (tmp_path / "x/settings.sh").read_text()
    assert not (tmp_path / "x/lib").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read {}: No such file or directory; --runtime takes a folder with"),
        (b"#!/bin/sh", "{} is no program for 64-bit ARM: build it for the device"),
        (b"\x7fELF\2\1\1" + bytes(11) + b"\x3e\0", "{} is no program for 64-bit ARM"),
    ],
)
def test_runtimes(content: bytes | None, message: str, affine: Path, own_runtime: Path) -> None:
    program = own_runtime / "iree-benchmark-module"
    program.unlink()
    if content is not None:
        program.write_bytes(content)
    told = refused(deploy(affine, "--export", own_runtime / "x", "--runtime", own_runtime))
    assert told.startswith(message.format(program))


@pytest.mark.parametrize("mask", ["0", "4-7", "-a", "f" * 17])
def test_masks(mask: str, affine: Path) -> None:
    told = refused(deploy(affine, "--export", "x", f"--cores={mask}"))
    assert told.startswith(f"--cores {mask}: give a hexadecimal number")


def test_usage(affine: Path) -> None:
    for options in ([], ["--adb", "--export", "x"], ["--export", "x", "--serial", "s"]):
        result = deploy(affine, *options)
        assert result.exit_code == 2
        assert "Error: " in result.stderr


def test_output_is_checked_first(phone: FakePhone, affine: Path, own_runtime: Path) -> None:
    phone.lists()
    told = refused(deploy(affine, "--adb", "--runtime", own_runtime, "-o", "missing/times.json"))
    assert told == "cannot write missing/times.json: folder missing does not exist; create it first"


def test_results_of_another_network(affine: Path, own_runtime: Path, tmp_path: Path) -> None:
    succeeded(deploy(affine, "--export", tmp_path / "x", "--runtime", own_runtime))
    plan = json.loads((tmp_path / "x/plan.json").read_text())
    (tmp_path / "x/results").mkdir()
    (tmp_path / "x/results/plan.json").write_text(json.dumps({**plan, "module": "0" * 64}))
    assert "holds results of another network than" in refused(
        deploy(affine, "--read", tmp_path / "x")
    )
    (tmp_path / "x/results/plan.json").write_text("{")
    assert "cannot be read" in refused(deploy(affine, "--read", tmp_path / "x"))
