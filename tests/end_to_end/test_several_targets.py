"""One bundle for several targets: each machine runs the code that fits it and is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import niwaki
from niwaki.cli import main
from niwaki.errors import NiwakiError, NiwakiWarning
from niwaki.passes.kernels import stream_sums
from niwaki.runtime import device
from niwaki.runtime.bundle import open_bundle
from niwaki.runtime.emulate import Emulator, Missing, emulator


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of any device."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    device.vulkan_info.cache_clear()


@pytest.fixture(scope="module")
def arm64() -> Emulator | Missing:
    """The emulator, which is found before the cache is another one."""
    return emulator()


def network() -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 3), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(4 * 49, 5)).eval(), torch.randn(1, 3, 9, 9)


def compiled(path: Path, target: str, **options: Any) -> tuple[Path, np.ndarray, np.ndarray]:
    """The bundle, an input, and what PyTorch gives for it."""
    model, x = network()
    niwaki.compile(model, x, target=target, output=path, **options)
    return path, x.numpy(), model(x).detach().numpy()


@pytest.mark.requires_vulkan
def test_code_for_each_device(tmp_path: Path) -> None:
    path, x, wanted = compiled(tmp_path / "net.niwaki", "arm64-android+vulkan+host")
    bundle = open_bundle(path)
    assert bundle.golden is not None
    assert [part.manifest.target for part in bundle.parts] == ["arm64-android", "vulkan", "host"]
    for kind, target in (("vulkan", "vulkan"), ("local", "host")):
        net = niwaki.load(path, device=kind)
        assert net.part.manifest.target == target
        np.testing.assert_allclose(net(x), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.requires_vulkan
def test_a_wrong_shader_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_sums, "fma", lambda a, b, total: total)
    path, x, wanted = compiled(tmp_path / "net.niwaki", "vulkan+host")
    with pytest.warns(NiwakiWarning, match="the code for vulkan is not used: output .* is off by"):
        net = niwaki.load(path)
    assert net.part.manifest.target == "host"
    np.testing.assert_allclose(net(x), wanted, rtol=1e-5, atol=1e-5)
    with pytest.raises(NiwakiError, match=r"does not compute on this machine .*\(vulkan: output"):
        niwaki.load(path, device="vulkan")


@pytest.mark.requires_vulkan
def test_a_driver_without_f16(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "vulkan_features", lambda: {"shaderFloat16": 0})
    path, x, wanted = compiled(tmp_path / "net.niwaki", "vulkan-f16+host", precision="f16")
    net = niwaki.load(path)
    assert net.part.manifest.target == "host"
    np.testing.assert_allclose(net(x), wanted, rtol=0.02, atol=0.02)
    with pytest.raises(NiwakiError, match=r"lacks: shaderFloat16.*compiled for device 'local'"):
        niwaki.load(path, device="vulkan")


def test_parts_are_as_if_compiled_alone(tmp_path: Path) -> None:
    both, *_ = compiled(tmp_path / "both.niwaki", "arm64-android+x86-64-v3", golden=False)
    for part in open_bundle(both).parts:
        target = part.manifest.target
        alone, *_ = compiled(tmp_path / "alone.niwaki", target)
        one = open_bundle(alone)
        assert bytes(one.module) == bytes(part.module)
        assert one.manifest.layers == part.manifest.layers
        assert one.manifest.digests == part.manifest.digests


def test_several_lengths_and_states(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(3, 4, 3, padding=1), nn.ReLU()).eval()
    x = torch.randn(1, 3, 12)
    options: dict[str, Any] = {"lengths": [6, 12], "golden": True}
    path = tmp_path / "net.niwaki"
    niwaki.compile(model, x, target="arm64-android+host", output=path, **options)
    net = niwaki.load(path)
    for length in (4, 6, 9, 12):
        wanted = model(x[..., :length]).detach().numpy()
        np.testing.assert_allclose(net(x[..., :length].numpy()), wanted, rtol=1e-5, atol=1e-5)
    assert [part.lengths for part in open_bundle(path).parts] == [(6, 12), (6, 12)]


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("host+host", "names host twice"),
        ("host+", "has no name beside a '\\+'"),
        ("host+gameboy", "unknown target 'gameboy'"),
        ("+".join(niwaki.targets.NAMES), "8 are the most"),
    ],
)
def test_wrong_targets(target: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(NiwakiError, match=told):
        compiled(tmp_path / "net.niwaki", target)


def test_no_code_for_this_machine(tmp_path: Path) -> None:
    path, *_ = compiled(tmp_path / "net.niwaki", "arm64-android+arm64")
    with pytest.raises(NiwakiError) as caught:
        niwaki.load(path)
    line = str(caught.value)
    assert "has no code for this machine: was compiled for aarch64 (target arm64-android)" in line
    assert "(target arm64)" in line


def test_golden_outputs_are_the_models(tmp_path: Path) -> None:
    with pytest.raises(NiwakiError, match="trim_threshold changes results: leave out one"):
        compiled(tmp_path / "net.niwaki", "host", golden=True, trim_threshold=0.1)
    path, x, wanted = compiled(tmp_path / "net.niwaki", "host", golden=True)
    golden = open_bundle(path).golden
    assert golden is not None
    assert np.array_equal(golden.inputs[0], x)
    np.testing.assert_allclose(golden.outputs[0], wanted, rtol=1e-6, atol=1e-6)
    path, *_ = compiled(path, "host")
    assert open_bundle(path).golden is None


class Sorted(nn.Module):
    """Boxes by their scores, as heads of detectors give them: many of these are nearly alike."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Flatten(2))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        found = self.layers(x)
        scores, order = (0.01 * found[0, 4]).sigmoid().sort(descending=True)
        return found[0, :4, order], scores, order, scores.argmax(0, keepdim=True)


def test_what_rounding_moves_is_not_held_against_code(tmp_path: Path) -> None:
    """In f16 other boxes are first: right code that a strict check would refuse."""
    torch.manual_seed(0)
    model, x = Sorted().eval(), torch.randn(1, 3, 34, 34)
    path = tmp_path / "net.niwaki"
    niwaki.compile(model, x, target="host", output=path, precision="f16", golden=True)
    golden = open_bundle(path).golden
    assert golden is not None
    boxes, scores, order, _ = golden.slack
    assert boxes > 0.5
    assert order > 0.5
    assert scores < 0.01
    results = niwaki.load(path)(x.numpy())
    assert np.abs(results[0] - golden.outputs[0]).max() > 0.5


def test_half_precision_of_deep_networks(tmp_path: Path) -> None:
    """Where each layer makes rounding larger, as in networks that nobody has trained."""
    torch.manual_seed(0)
    blocks = [nn.Sequential(nn.Conv1d(8, 8, 1), nn.InstanceNorm1d(8)) for _ in range(12)]
    model = nn.Sequential(*blocks, nn.AdaptiveAvgPool1d(2)).eval()
    path, x = tmp_path / "net.niwaki", torch.randn(1, 8, 40)
    niwaki.compile(model, x, target="host", output=path, precision="f16", golden=True)
    golden = open_bundle(path).golden
    assert golden is not None
    assert 0 < golden.slack[0] < 0.5
    niwaki.load(path)


def test_commands_take_the_part_that_they_can_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Layers are timed of the host's code, wherever it stands in the bundle."""
    path, *_ = compiled(tmp_path / "net.niwaki", "arm64-android+vulkan+host", golden=False)

    def told(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main([*arguments])
        assert ended.value.code == 0
        return capsys.readouterr().out

    assert "us" in told("bench", str(path), "--layers", "--repetitions", "3")
    assert "also for vulkan: code" in told("inspect", str(path))
    alone = told("inspect", str(path), "--target", "vulkan")
    assert "for vulkan\n" in alone
    assert "thread_gemm" in alone
    page = tmp_path / "page.html"
    told("report", str(path), "-o", str(page))
    assert "times: estimated" not in page.read_text()
    with pytest.raises(NiwakiError, match="no code for target 'arm64': it has arm64-android, v"):
        open_bundle(path).for_target("arm64")


def test_no_vulkan_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(kind: str, threads: int) -> Any:
        if kind == "vulkan":
            raise NiwakiError("no Vulkan device on this machine: install its Vulkan driver")
        return create_driver(kind, threads)

    create_driver = device.create_driver
    monkeypatch.setattr(device, "create_driver", missing)
    path, x, wanted = compiled(tmp_path / "net.niwaki", "vulkan+host")
    net = niwaki.load(path)
    assert net.part.manifest.target == "host"
    np.testing.assert_allclose(net(x), wanted, rtol=1e-5, atol=1e-5)
    with pytest.raises(NiwakiError, match="no code for this machine: no Vulkan device"):
        niwaki.load(path, device="vulkan")


@pytest.mark.requires_qemu
def test_the_emulator_takes_the_code_for_arm64(tmp_path: Path, arm64: Emulator | Missing) -> None:
    path, x, wanted = compiled(tmp_path / "net.niwaki", "host+arm64-android")
    assert isinstance(arm64, Emulator)
    (result,) = arm64.run_bundle(path, [x])
    np.testing.assert_allclose(result, wanted, rtol=1e-5, atol=1e-5)
