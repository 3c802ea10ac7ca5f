"""One network on several devices at the same time gives what PyTorch gives."""

from __future__ import annotations

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from placed_networks import PLACED, branches, odd_booleans, pruned
from small_networks import Function
from torch import Tensor, nn

import niwaki
from niwaki.cli import main
from niwaki.errors import NiwakiError, NiwakiWarning
from niwaki.runtime import device
from niwaki.runtime.bundle import open_bundle
from niwaki.signature import flatten
from niwaki.targets import best_cpu_target, get_target

OTHER = "x86-64-v3"
best = best_cpu_target()
needs_x86 = pytest.mark.skipif(
    best is None or best.architecture != get_target(OTHER).architecture,
    reason=f"needs a CPU that runs code for {OTHER}",
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of any device."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    device.vulkan_info.cache_clear()


def check(network: Any, inputs: tuple[torch.Tensor, ...], given: Any, error: float = 1e-5) -> None:
    """Compare a call with PyTorch's."""
    with torch.no_grad():
        wanted, _ = flatten(network(*inputs))
    for one, other in zip(flatten(given)[0], wanted, strict=True):
        assert one.dtype == other.detach().numpy().dtype
        np.testing.assert_allclose(one, other.detach().numpy(), rtol=10 * error, atol=error)


def run(*words: object, code: int = 0) -> None:
    """A command that ends so."""
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, words)))
    assert (ended.value.code or 0) == code


@needs_x86
@pytest.mark.parametrize("name", PLACED)
def test_by_hand(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, inputs, second = PLACED[name]()
    path = tmp_path / "net.niwaki"
    place = dict.fromkeys(second, OTHER)
    niwaki.compile(network, inputs, target=f"host+{OTHER}", place=place, output=path)
    plan = open_bundle(path).for_target("together").manifest.plan
    assert {stage.manifest.target for stage in plan.stages} == {"host", OTHER}
    arrays = [one.numpy() for one in inputs]
    with niwaki.load(path, device="together") as loaded:
        before = [one.copy() for one in arrays]
        for _ in range(2):
            check(network, inputs, loaded(*arrays))
        with ThreadPoolExecutor(3) as threads:
            for given in threads.map(lambda _: loaded(*arrays), range(6)):
                check(network, inputs, given)
        for one, other in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(one, other)
        again = pickle.loads(pickle.dumps(loaded))
    check(network, inputs, again(*arrays))


@pytest.mark.requires_vulkan
@pytest.mark.parametrize("name", ["branches", "odd_results", "masks"])
def test_beside_a_gpu(name: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    network, inputs, second = PLACED[name]()
    path, place = tmp_path / "net.niwaki", dict.fromkeys(second, "vulkan")
    niwaki.compile(network, inputs, target="host+vulkan", place=place, output=path)
    with niwaki.load(path, device="together") as loaded:
        assert loaded.part.manifest.target == "together"
        for _ in range(3):
            check(network, inputs, loaded(*[one.numpy() for one in inputs]), 1e-4)


@pytest.mark.requires_vulkan
def test_two_stages_of_a_gpu_share_what_stays_there(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, inputs, _ = branches()
    path, place = tmp_path / "net.niwaki", {"right.2": "host", "*": "vulkan"}
    niwaki.compile(network, inputs, target="host+vulkan", place=place, output=path)
    plan = open_bundle(path).for_target("together").manifest.plan
    targets = [stage.manifest.target for stage in plan.stages]
    assert any(
        targets[source - 1] == targets[number] == "vulkan"
        for number, stage in enumerate(plan.stages)
        for source, _ in stage.inputs
        if source
    )
    check(network, inputs, niwaki.load(path, device="together")(inputs[0].numpy()), 1e-4)


@pytest.mark.requires_vulkan
def test_what_shaders_cannot_store_stays_on_one_device(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, inputs, _ = odd_booleans()
    path, target = tmp_path / "net.niwaki", "host+vulkan"
    place = {"first": "vulkan", "third": "host"}
    with pytest.raises(NiwakiError, match="cannot place 'first' on vulkan and 'third' on host"):
        niwaki.compile(network, inputs, target=target, place=place, output=path)
    niwaki.compile(network, inputs, target=target, place={"third": "vulkan"}, output=path)
    with niwaki.load(path, device="vulkan") as loaded:
        check(network, inputs, loaded(inputs[0].numpy()))


@needs_x86
def test_channels_are_trimmed_across_cuts(tmp_path: Path) -> None:
    """The plan keeps what each target keeps alone, and hands over less."""
    torch.manual_seed(0)
    network, inputs, second = pruned()
    path, place = tmp_path / "net.niwaki", dict.fromkeys(second, OTHER)
    niwaki.compile(network, inputs, target=f"host+{OTHER}", place=place, output=path)
    alone, _, together = (part.manifest for part in open_bundle(path).parts)
    assert {one.name: one.kept for one in together.layers} == {
        one.name: one.kept for one in alone.layers
    }
    handed = [
        spec.shape for stage in together.plan.stages for spec in stage.manifest.signature.inputs
    ]
    assert (1, 16, 9, 11) not in handed
    assert any("trimmed: 16 -> " in remark.reason for remark in together.remarks)


@needs_x86
def test_a_stream(tmp_path: Path) -> None:
    """States go with a stream from step to step: one that is computed here, one there, one kept."""

    def forward(self: Any, x: Any, h: Any, c: Any, last: Any) -> Any:
        h = (self.first(x) + self.again(h)).tanh()
        c = self.second(h).sigmoid() * c + h
        return self.third(c) + last, h, c, x

    torch.manual_seed(0)
    members = {name: torch.nn.Linear(6, 6) for name in ("first", "again", "second", "third")}
    network, path = Function(forward, **members), tmp_path / "net.niwaki"
    inputs = tuple(torch.zeros(2, 6) for _ in range(4))
    niwaki.compile(
        network, inputs, target=f"host+{OTHER}", output=path, place={"second": OTHER},
        states={f"args_{i}": f"output_{i}" for i in (1, 2, 3)},
    )  # fmt: skip
    loaded = niwaki.load(path, device="together")
    states = [loaded.initial_state() for _ in range(2)]
    wanted = [list(inputs[1:]) for _ in range(2)]
    for number in range(8):
        x, stream = torch.randn(2, 6), number % 3 % 2
        given, states[stream] = loaded.step(x.numpy(), states[stream])
        with torch.no_grad():
            result, *wanted[stream] = network(x, *wanted[stream])
        np.testing.assert_allclose(given, result.numpy(), atol=1e-5)
        arrays = states[stream].copy().arrays().values()
        for one, other in zip(arrays, wanted[stream], strict=True):
            np.testing.assert_allclose(one, other.numpy(), atol=1e-5)


@needs_x86
def test_half_precision(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, inputs, _ = branches()
    path, target = tmp_path / "net.niwaki", f"host+{OTHER}"
    place = {"left.*": OTHER}
    niwaki.compile(network, inputs, target=target, place=place, output=path, precision="f16")
    check(network, inputs, niwaki.load(path, device="together")(inputs[0].numpy()), 5e-3)


@needs_x86
def test_where_one_device_is_fastest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """So small a network goes nowhere: the bundle says why, and has no plan."""
    file = tmp_path / "net.py"
    file.write_text(
        "import torch\n"
        "def make():\n"
        "    return torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3)).eval(), torch.ones(1, 3, 9, 9)\n"
    )
    path = tmp_path / "net.niwaki"
    target = f"host+{OTHER}"
    run("compile", f"{file}:make", "-o", path, "--target", target, "--place", "auto")
    assert "computes all of it: " in capsys.readouterr().out
    assert [part.manifest.target for part in open_bundle(path).parts] == ["host", OTHER]
    with pytest.raises(
        NiwakiError, match="'; compile the model for several targets with --place auto"
    ):
        niwaki.load(path, device="together")


def two_branches(folder: Path) -> tuple[Path, nn.Module, tuple[Tensor, ...]]:
    """A bundle whose branches are apart, its network, and inputs of that."""
    path = folder / "net.niwaki"
    network, inputs, _ = branches()
    place = {"left.*": OTHER}
    niwaki.compile(network, inputs, target=f"host+{OTHER}", place=place, output=path)
    return path, network, inputs


@needs_x86
def test_the_plan_is_drawn_and_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, _, _ = two_branches(tmp_path)
    run("inspect", path)
    shown = capsys.readouterr().out
    assert "also all together: code " in shown
    assert "together: planned " in shown
    rows = [line for line in shown.splitlines() if line.startswith(("host  ", f"{OTHER}  "))]
    assert [row.split()[0] for row in rows] == ["host", OTHER]
    assert all("[" in row for row in rows)
    run("report", path, "-o", tmp_path / "page.html")
    assert 'id="plan"' in (tmp_path / "page.html").read_text()
    run("bench", path, "--device", "together", "--repetitions", 3)
    run("deploy", path, "--export", tmp_path / "phone", "--target", "together", code=1)
    assert "on several devices together is timed stage by stage, and" in capsys.readouterr().err
    run("report", path, "--target", "together", "-o", tmp_path / "together.html")


@needs_x86
def test_layers_of_each_stage_are_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, _, _ = two_branches(tmp_path)
    stages = open_bundle(path).for_target("together").stages
    options = ["--layers", "--repetitions", 3, "--device", "together"]
    run("bench", path, *options)
    shown = capsys.readouterr().out
    heads = [line.split(", planned")[0] for line in shown.splitlines() if "planned" in line]
    assert heads == [
        f"stage {number} of {len(stages)}, {stage.manifest.target}"
        for number, stage in enumerate(stages, 1)
    ]
    run("bench", path, *options, "--json")
    told = json.loads(capsys.readouterr().out)
    runs = [run["layer"] for stage in told for run in stage["times"]["runs"]]
    assert runs == [run.layer for stage in stages for run in stage.manifest.dispatches]
    with pytest.raises(NiwakiError, match="together is timed stage by stage"):
        open_bundle(path).for_target("together").time_layers()


@needs_x86
def test_a_plan_that_is_wrong_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On load each device alone and all together run the golden input."""
    path, network, inputs = two_branches(tmp_path)

    def broken(*_: Any) -> Any:
        raise RuntimeError("planted")

    monkeypatch.setattr("niwaki.runtime.together._Call._stage", broken)
    with pytest.warns(NiwakiWarning, match="the code for together is not used: fails: planted"):
        loaded = niwaki.load(path)
    assert loaded.part.manifest.target in ("host", OTHER)
    check(network, inputs, loaded(inputs[0].numpy()))


@needs_x86
@pytest.mark.parametrize(
    ("target", "options", "told"),
    [
        ("host", {"place": "auto"}, "host is the only target: name another one too"),
        ("host+@", {"place": {"left.*": "arm64"}}, "'left.*' on 'arm64': it must be one of host, "),
        ("host+@", {"place": {"lift.*": "host"}}, "no layer to place is called 'lift.*': there "),
        ("host+@", {"place": "all"}, "place must be auto, or patterns of layers' names"),
        ("host+@", {"place": "auto", "lengths": [8, 9]}, "lengths and place do not go together"),
        (
            "host+@",
            {"place": "auto", "tolerance": 0.1, "precision": "f16"},
            "tolerance and place do not go together",
        ),
    ],
)
def test_mistakes(target: str, options: dict[str, Any], told: str, tmp_path: Path) -> None:
    network, inputs, _ = branches()
    path = tmp_path / "net.niwaki"
    with pytest.raises(NiwakiError) as caught:
        niwaki.compile(network, inputs, target=target.replace("@", OTHER), output=path, **options)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not path.exists()
