"""What a device sends back, taken apart and judged."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_bundle

from niwaki.errors import NiwakiError
from niwaki.runtime.bundle import Bundle, open_bundle, write_bundle
from niwaki.runtime.deploy import examples, libraries
from niwaki.runtime.deploy.examples import Expected, example_inputs, expected_outputs
from niwaki.runtime.deploy.folder import RUNS, settings
from niwaki.runtime.deploy.kernel_times import KernelTime
from niwaki.runtime.deploy.phone import common_features
from niwaki.runtime.deploy.plan import Plan, make_plan
from niwaki.runtime.deploy.results import read_results
from niwaki.runtime.deploy.times_file import DeviceTimes, read_kernels, read_times, write_times
from niwaki.runtime.deploy.verdict import check_repeatable, compare, distance
from niwaki.runtime.emulate import Missing
from niwaki.runtime.golden import Golden
from niwaki.runtime.layer_times import LayerTimes, RunTime
from niwaki.runtime.measure import Measurement

NAN, INF = float("nan"), float("inf")
Y = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return open_bundle(tiny_bundle.affine_bundle(tmp_path / "affine.niwaki"))


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        ([1.0, -4.0], [1.0, -4.0], 0.0),
        ([1.0, -4.5], [1.0, -4.0], 0.125),
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([0.0, 1e-9], [0.0, 0.0], INF),
        ([NAN, 1.0], [NAN, 1.0], 0.0),
        ([NAN, 1.0], [1.0, 1.0], INF),
        ([1.0, 1.0], [NAN, 1.0], INF),
        ([INF, 1.0], [INF, 1.0], 0.0),
        ([-INF, 1.0], [INF, 1.0], INF),
        ([INF, 1.0], [1.0, 1.0], INF),
        ([], [], 0.0),
    ],
)
def test_distances(found: list[float], wanted: list[float], expected: float) -> None:
    assert distance(np.array(found, np.float32), np.array(wanted, np.float32)) == expected


def test_verdicts(bundle: Bundle) -> None:
    manifest = bundle.manifest
    right = Expected([Y], "somebody's")
    assert compare(manifest, [Y], right).endswith("the largest magnitude, compared with somebody's")
    assert compare(manifest, [Y], Expected(None, "no qemu")) == "nothing was compared: no qemu"
    wrong = Y + np.float32(0.01)
    with pytest.raises(NiwakiError, match=r"^output y is wrong on this device: off by 0\.002 of"):
        compare(manifest, [wrong], right)
    halves = replace(manifest, layers=[replace(manifest.layers[0], element="f16")])
    assert compare(halves, [wrong], right)
    golden = Expected([Y], "the bundle's golden ones", [0.0])
    assert compare(manifest, [wrong], golden)
    with pytest.raises(NiwakiError, match=r"output y is wrong on this device: off by 0\.2 of its"):
        compare(halves, [Y + 1], golden)
    assert compare(halves, [Y + 1], replace(golden, slack=[0.2]))
    assert compare(halves, [Y * np.nan], replace(golden, slack=[1.0]))


def test_whole_numbers_are_equal_or_wrong() -> None:
    tensor = ((3,), "int64")
    manifest = tiny_bundle.manifest({"x": tensor}, {"y": tensor})
    numbers = np.array([1, 2, 100_000])
    assert compare(manifest, [numbers], Expected([numbers], "somebody's"))
    other = np.array([1, 2, 99_999])
    with pytest.raises(NiwakiError, match=r"is wrong on this device: off by 0\.33 of its numbers"):
        compare(manifest, [other], Expected([numbers], "somebody's"))
    golden = Expected([numbers], "the bundle's golden ones", [0.0])
    assert compare(manifest, [other], golden)
    with pytest.raises(NiwakiError, match="output y is wrong"):
        compare(manifest, [numbers + 1], golden)


def test_runs_are_the_same_bit_for_bit(bundle: Bundle) -> None:
    """NaN is like NaN; a zero of another sign is another number."""
    odd = Y.copy()
    odd[0] = NAN, INF, 0.0
    check_repeatable(bundle.manifest, [[odd], [odd.copy()], [odd.copy()]])
    other = odd.copy()
    other[0, 2] = -0.0
    with pytest.raises(NiwakiError, match=r"run 2 differs from run 1 in 1 of 6 numbers"):
        check_repeatable(bundle.manifest, [[odd], [other], [odd]])


def test_outputs_of_this_machine(bundle: Bundle) -> None:
    expected = expected_outputs(bundle)
    assert expected.source == "this machine's"
    assert expected.outputs is not None


def test_golden_outputs(bundle: Bundle) -> None:
    golden = Golden([Y], [Y + 1], [0.5])
    expected = expected_outputs(replace(bundle, golden=golden))
    assert (expected.outputs, expected.slack) == (golden.outputs, [0.5])
    assert example_inputs(replace(bundle, golden=golden)) == golden.inputs


def test_nobody_who_computes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this machine nor an emulator."""
    monkeypatch.setattr(examples, "emulator", lambda fetch: Missing("no qemu-aarch64-static"))
    foreign = replace(tiny_bundle.affine_manifest("host"), architecture=("aarch64",))
    write_bundle(tmp_path / "net.niwaki", foreign, b"", {})
    expected = expected_outputs(open_bundle(tmp_path / "net.niwaki"))
    assert expected == Expected(None, "no qemu-aarch64-static")


def test_features_of_all_cores() -> None:
    told = "Features\t: fp asimd i8mm\nCPU part : 0xd05\n\nprocessor: 1\nFeatures\t: fp asimd\n"
    assert common_features(told) == {"fp", "asimd"}
    assert common_features("processor: 0\n") == frozenset()


def test_no_libraries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(libraries, "_INSTALLED", (tmp_path,))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NiwakiError, match="install libstdc\\+\\+6-arm64-cross, or give a runtime"):
        libraries.arm64_libraries()


def test_hostile_names_stay_names(bundle: Bundle) -> None:
    """A manifest may hold anything; the shell is to read it as text."""
    manifest = replace(bundle.manifest, target="x'; rm -rf $HOME; '", function="$(reboot)")
    told = settings(manifest, make_plan(bundle))
    assert "target='x'\"'\"'; rm -rf $HOME; '\"'\"''" in told
    assert "options='--module=module.vmfb" in told


def results(bundle: Bundle, folder: Path, plan: Plan) -> Path:
    """What a run leaves, but for events."""
    folder.mkdir()
    (folder / "plan.json").write_text(json.dumps(asdict(plan)))
    (folder / "model").write_text("Pixel\x1b 8\n")
    (folder / "clocks").write_text("cpu0 1800 1800 schedutil\ncpu7 1200 2800 schedutil\n\n")
    told = [
        {"run_type": "iteration", "real_time": 1.0 + number, "time_unit": "ms"}
        for number in range(plan.warmup + plan.repetitions)
    ]
    told.append({"run_type": "aggregate", "real_time": 9.0, "time_unit": "ms"})
    (folder / "calls.json").write_text(json.dumps({"benchmarks": told}))
    for run in range(RUNS):
        np.save(folder / f"run{run}.output0.npy", Y)
    return folder


def test_results(bundle: Bundle, tmp_path: Path) -> None:
    plan = make_plan(bundle, warmup=2, repetitions=1)
    found = read_results(bundle, results(bundle, tmp_path / "results", plan))
    assert found.times.calls == Measurement(3e-3, 3e-3, 3e-3, 1, 2, 1, "local")
    assert found.times.model == "Pixel\\x1b 8"
    assert found.times.layers is None
    assert found.throttled == ["cpu7"]
    assert len(found.runs) == RUNS


def test_results_of_another_length(bundle: Bundle, tmp_path: Path) -> None:
    plan = make_plan(bundle)
    folder = results(bundle, tmp_path / "results", replace(plan, length=32))
    with pytest.raises(NiwakiError, match=r"results of another length of .*: give --length 32"):
        read_results(bundle, folder)
    folder = results(bundle, tmp_path / "others", plan)
    with pytest.raises(NiwakiError, match=r"results of another length of .*: give no --length"):
        read_results(replace(bundle, length=32), folder)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("calls.json", None, "has no calls.json: the run was not finished; start run.sh again"),
        ("calls.json", b"{}", "cannot be read"),
        ("calls.json", b'{"benchmarks": []}', "cannot be read: it has times of 0 calls"),
        ("run2.output0.npy", None, "has no run2.output0.npy"),
        ("run2.output0.npy", b"no array", "cannot be read"),
        ("clocks", b"cpu0 x y\n", "cannot be read"),
    ],
)
def test_damaged_results(
    name: str, content: bytes | None, message: str, bundle: Bundle, tmp_path: Path
) -> None:
    folder = results(bundle, tmp_path / "results", make_plan(bundle))
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(NiwakiError, match=message):
        read_results(bundle, folder)


def test_outputs_of_another_shape(bundle: Bundle, tmp_path: Path) -> None:
    folder = results(bundle, tmp_path / "results", make_plan(bundle))
    np.save(folder / "run0.output0.npy", Y[:1])
    with pytest.raises(NiwakiError, match=r"output y is float32 of shape \(1, 3\)"):
        read_results(bundle, folder)


def device_times(bundle: Bundle) -> DeviceTimes:
    (run,) = bundle.manifest.dispatches
    layers = LayerTimes([RunTime(run.layer, run.kernel, run.family, 1e-6)], 3e-6, 2e-6, 50, 1)
    calls = Measurement(3e-3, 4e-3, 2e-3, 50, 10, 1, "local")
    kernels = [KernelTime("conv1", "dense", "gather_gemm 8x3", 1000, 1300)]
    module, target = bundle.manifest.digests["module.vmfb"], bundle.manifest.target
    return DeviceTimes(module, 0, target, "Pixel 8", calls, layers, kernels)


def test_times_are_read_as_written(bundle: Bundle, tmp_path: Path) -> None:
    for times in (device_times(bundle), replace(device_times(bundle), layers=None)):
        write_times(tmp_path / "times.json", times)
        assert read_times(tmp_path / "times.json", bundle) == (times, bundle)


def test_times_of_another_part(bundle: Bundle, tmp_path: Path) -> None:
    """A bundle for several targets: times are those of the code that ran."""
    digests = {**bundle.manifest.digests, "module.vmfb": "0" * 64}
    first = replace(bundle, manifest=replace(bundle.manifest, digests=digests), others=(bundle,))
    write_times(tmp_path / "times.json", device_times(bundle))
    _, timed = read_times(tmp_path / "times.json", first)
    assert timed == bundle


def _without_calls(value: dict[str, Any]) -> None:
    del value["calls"]


def _other_module(value: dict[str, Any]) -> None:
    value["module"] = "0" * 64


def _other_layers(value: dict[str, Any]) -> None:
    value["layers"]["runs"][0]["layer"] = "conv7"


def _fewer_layers(value: dict[str, Any]) -> None:
    value["layers"]["runs"] = []


def _negative(value: dict[str, Any]) -> None:
    value["calls"]["median"] = -1.0


def _not_a_number(value: dict[str, Any]) -> None:
    value["layers"]["total"] = NAN


def _text(value: dict[str, Any]) -> None:
    value["layers"]["total"] = "fast"


def _length(value: dict[str, Any]) -> None:
    value["length"] = 64


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without_calls, "times.json: field 'calls' is missing"),
        (_other_module, "times.json has times of another bundle than .*: run `niwaki deploy`"),
        (_other_layers, "times.json has times of other layers than"),
        (_fewer_layers, "times.json has times of other layers than"),
        (_negative, "times.json.calls.median must be a number from 0"),
        (_not_a_number, "times.json.layers.total must be a number from 0"),
        (_text, "times.json.layers.total must be a number"),
        (_length, "has no network of length 64"),
    ],
)
def test_changed_times(
    change: Callable[[dict[str, Any]], None], message: str, bundle: Bundle, tmp_path: Path
) -> None:
    value = asdict(device_times(bundle))
    change(value)
    (tmp_path / "times.json").write_text(json.dumps(value))
    with pytest.raises(NiwakiError, match=message):
        read_times(tmp_path / "times.json", bundle)


def test_times_without_estimates(bundle: Bundle, tmp_path: Path) -> None:
    times = device_times(bundle)
    write_times(tmp_path / "times.json", times)
    assert read_kernels(tmp_path / "times.json") == ("host", times.kernels)
    kernels = [replace(times.kernels[0], estimated_ns=0)]
    write_times(tmp_path / "times.json", replace(times, kernels=kernels))
    with pytest.raises(NiwakiError, match=r"times\.json has times without estimates"):
        read_kernels(tmp_path / "times.json")


def test_files_that_are_no_times(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(NiwakiError, match="does not exist: `niwaki deploy` writes it"):
        read_times(tmp_path / "missing.json", bundle)
    with pytest.raises(NiwakiError, match="cannot read"):
        read_times(tmp_path, bundle)
    (tmp_path / "times.json").write_text("{")
    with pytest.raises(NiwakiError, match="is not valid JSON"):
        read_times(tmp_path / "times.json", bundle)
    (tmp_path / "times.json").write_text("[]")
    with pytest.raises(NiwakiError, match="must be an object"):
        read_times(tmp_path / "times.json", bundle)
