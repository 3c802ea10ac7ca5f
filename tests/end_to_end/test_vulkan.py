"""Networks on a Vulkan device give PyTorch's results, and their shaders are valid.

Here the device is Mesa's lavapipe, a software one. It runs the baseline, `vulkan`; code that IREE
makes for real GPUs counts on the size of their subgroups.
"""

from __future__ import annotations

import functools
import math
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numeric.cases import (
    Branches,
    Case,
    Compiled,
    check,
    compare,
    difference,
    plain_references,
    reference,
    spoiled,
)
from numeric.crowded_layers import crowded_layers
from numeric.odd_booleans import odd_booleans
from numeric.pruned_heads import packed, plain, pruned_heads
from numeric.random_graphs import failures, random_graph
from numeric.random_layers import (
    fill,
    random_cases,
    random_convolution,
    random_linear,
    random_pool,
    tensor,
)
from numeric.taken import odd_takes, styled
from numeric.written_attentions import written
from small_networks import Function, ResNet
from torch import nn
from torch.nn import functional

import niwaki
from niwaki import code_generation, lowered_bundle
from niwaki.device_features import FEATURES
from niwaki.errors import NiwakiError
from niwaki.runtime import device
from niwaki.runtime.vulkan_properties import BUFFERS
from niwaki.schemes import block_punched_mask
from niwaki.targets import TARGETS, get_target

GPUS = [target.name for target in TARGETS.values() if target.backend == "gpu"]


def pruned_resnet() -> nn.Module:
    """A residual network whose convolutions are block-punched 4x in blocks of 8 filters."""
    torch.manual_seed(0)
    model = ResNet()
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            weights = module.weight.detach()
            rows = weights.reshape(*weights.shape[:2], -1).numpy()
            mask = block_punched_mask(rows, 4, 8) if weights.shape[1] > 3 else rows != 0
            module.weight.data *= torch.from_numpy(mask.reshape(weights.shape))
    return model


def layers(rng: np.random.Generator) -> list[Case]:
    """A case for each kind of layer and scheme."""

    def conv(rank: int, *arguments: Any, scheme: str, **options: Any) -> nn.Module:
        kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[rank - 1]
        return fill(kind(*arguments, **options), scheme, rng)

    x = functools.partial(tensor, rng)
    strided = nn.Sequential(
        conv(2, 3, 12, 3, stride=2, padding=1, scheme="blocks of 4"),
        nn.Hardswish(),
        conv(2, 12, 10, 5, stride=3, padding=2, scheme="unstructured"),
    )
    depthwise = nn.Sequential(
        conv(2, 6, 6, 3, padding=1, groups=6, scheme="dense"),
        nn.ReLU6(),
        conv(2, 6, 6, 5, stride=2, padding=2, groups=6, scheme="unstructured"),
        conv(2, 6, 9, 1, scheme="channel"),
    )
    dilated = conv(2, 4, 8, 3, dilation=(2, 3), padding=(2, 3), scheme="blocks of 8")
    pools = nn.Sequential(
        nn.MaxPool2d(3, 2, 1),
        nn.AvgPool2d(2, 1, ceil_mode=True),
        nn.MaxPool2d(3, 1, 1, dilation=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    linear = nn.Sequential(
        fill(nn.Linear(20, 70), "unstructured", rng),
        nn.GELU(),
        fill(nn.Linear(70, 9), "dense", rng),
    )
    return [
        Case("strided", strided, (x(2, 3, 21, 19),)),
        Case("grouped", conv(2, 8, 12, 3, groups=4, scheme="blocks of 2"), (x(1, 8, 9, 7),)),
        Case("depthwise", depthwise, (x(1, 6, 11, 13),)),
        Case("dilated", dilated, (x(1, 4, 12, 15),)),
        Case("1-D", conv(1, 5, 16, 7, stride=2, padding=3, scheme="blocks of 16"), (x(2, 5, 150),)),
        Case("3-D", conv(3, 3, 8, 3, padding=1, scheme="blocks of 8"), (x(1, 3, 5, 6, 7),)),
        Case("pools", pools, (x(2, 5, 17, 14),)),
        Case("whole plane", nn.AdaptiveMaxPool2d(1), (x(2, 70, 5, 3),)),
        Case("linear", linear, (x(5, 20),)),
        Case("no weights", conv(2, 2, 3, 3, scheme="all zero"), (x(1, 2, 6, 6),)),
    ]


def odd_streams(rng: np.random.Generator) -> list[Case]:
    """Blocks that fill no line of a stream, and operands per filter that are not all in it."""

    def conv(*arguments: Any, scheme: str, **options: Any) -> nn.Module:
        return fill(nn.Conv2d(*arguments, **options), scheme, rng)

    def computed(self: Any, x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        scaled = self.layer(x) * self.scale + bias.sin().view(1, -1, 1, 1)
        return torch.where(self.even, scaled, scaled * self.whole)

    x = functools.partial(tensor, rng)
    cases = []
    for height in (3, 5, 7):
        blocks, input = f"blocks of {height}", x(2, 6, 5, 7)
        layers = {
            "ends lower": conv(6, 2 * height + 1, 3, scheme=blocks),
            "in groups": conv(6, 2 * height, 3, groups=2, scheme=blocks),
            "of a channel": conv(6, 6 * height, 3, groups=6, scheme="unstructured"),
        }
        cases += [Case(f"{height} {name}", layer, (input,)) for name, layer in layers.items()]
    numbers = torch.arange(9, dtype=torch.int32).view(1, -1, 1, 1)
    model = Function(
        computed,
        layer=conv(4, 9, 3, scheme="unstructured"),
        scale=x(1, 9, 1, 1),
        even=numbers % 2 == 0,
        whole=numbers,
    )
    return [*cases, Case("computed bias", model, (x(2, 4, 6, 6), x(9)))]


def others(rng: np.random.Generator) -> list[Case]:
    """What is no layer, and goes to IREE as it is."""
    ids = torch.from_numpy(rng.integers(0, 20, (3, 5)))
    look_up = nn.Sequential(nn.Embedding(20, 8), fill(nn.Linear(8, 4), "dense", rng))
    largest = Function(lambda self, x: x.topk(3, 1))
    attention = Function(lambda self, *x: functional.scaled_dot_product_attention(*x))
    planes = nn.Sequential(nn.Conv2d(4, 4, 3), nn.InstanceNorm2d(4, affine=True), nn.ReLU())
    return [
        Case("softmax", nn.Softmax(1), (tensor(rng, 3, 10),)),
        Case("norms", nn.Sequential(nn.GroupNorm(2, 4), nn.LayerNorm(6)), (tensor(rng, 2, 4, 6),)),
        *odd_takes()[1::4],
        *styled()[::5],
        Case("norms of planes", planes, (tensor(rng, 2, 4, 5, 6),)),
        Case("embedding", look_up, (ids,)),
        Case("top k", largest, (tensor(rng, 4, 33),)),
        Case("attention", attention, tuple(tensor(rng, 1, 2, 6, 8) for _ in range(3))),
        *written()[::6],
        *odd_booleans()[::6],
        *(pruned_heads(form, rng) for form in (plain, packed)),
    ]


def paddings(rng: np.random.Generator) -> list[Case]:
    """Each mode that PyTorch has, circular padding of each rank and by itself."""

    def conv(kind: Any, mode: str, **options: Any) -> nn.Module:
        return fill(kind(3, 5, 3, padding_mode=mode, **options), "blocks of 4", rng)

    line, x, volume = (tensor(rng, 2, 3, *sizes) for sizes in ((9,), (9, 7), (4, 5, 6)))
    deep = nn.Sequential(
        fill(nn.Conv2d(3, 3, 3, padding=1), "dense", rng),
        nn.ReLU(),
        conv(nn.Conv2d, "circular", padding=(1, 2), dilation=(1, 2)),
    )
    bare = Function(lambda self, x: functional.pad(x, (2, 1, 1, 3), mode="circular"))
    return [
        *(
            Case(mode, conv(nn.Conv2d, mode, padding=1, stride=2), (x,))
            for mode in ("zeros", "reflect", "replicate", "circular")
        ),
        Case("circular line", conv(nn.Conv1d, "circular", padding=2), (line,)),
        Case("circular volume", conv(nn.Conv3d, "circular", padding=1), (volume,)),
        Case("circular behind a layer", deep, (x,)),
        Case("circular by itself", bare, (x,)),
    ]


def narrow(target: str) -> list[Case]:
    """What takes types that only some targets have."""
    dtypes = {"f16": torch.float16, "i8": torch.int8, "i64": torch.int64}
    double = Function(lambda self, x: x + x)
    return [
        Case(name, double, (torch.ones(3, 5, dtype=dtype),))
        for name, dtype in dtypes.items()
        if name in get_target(target).elements
    ]


def networks() -> list[Case]:
    """All of the above, the same ones in every test."""
    rng = np.random.default_rng(0)
    resnet = Case("residual", pruned_resnet(), (tensor(rng, 2, 3, 16, 16),))
    return [resnet, *layers(rng), *crowded_layers(), *others(rng), *recurrent(rng)]


def recurrent(rng: np.random.Generator) -> list[Case]:
    """With states that one gives, and without; a layer of both directions."""
    lstm = Function(lambda self, x, h: self.layer(x, (h, h))[1][1], layer=nn.LSTM(3, 8))
    gru = Function(lambda self, x: self.layer(x)[0], layer=nn.GRU(3, 10, bidirectional=True))
    return [
        Case("LSTM", lstm, (tensor(rng, 3, 2, 3), tensor(rng, 1, 2, 8))),
        Case("GRU", gru, (tensor(rng, 3, 2, 3),)),
    ]


@pytest.mark.requires_vulkan
def test_outputs_are_the_callers(tmp_path: Path) -> None:
    """Kept, they do not change when the network is called again, nor do they disturb it."""
    case = random_graph(3, 5, 5)
    compiled = Compiled([case], tmp_path, "vulkan")
    inputs = [(case.inputs[0] * factor,) for factor in (1, -2, 3, 0.5)]
    kept = [compiled([given]) for given in inputs]
    for found, given in zip(kept, inputs, strict=True):
        compare([case], found, [reference(case.model, given)])


@pytest.mark.requires_vulkan
def test_random_graphs() -> None:
    assert failures(3, range(6), 5, "vulkan") == []


@pytest.mark.requires_vulkan
def test_results_are_pytorchs(tmp_path: Path) -> None:
    check(networks(), tmp_path, "vulkan")


@pytest.mark.requires_vulkan
def test_paddings(tmp_path: Path) -> None:
    check(paddings(np.random.default_rng(4)), tmp_path, "vulkan")


# Switching oneDNN off says so.
@pytest.mark.filterwarnings("ignore:TF32 acceleration:UserWarning")
@pytest.mark.requires_vulkan
@pytest.mark.parametrize(("target", "tolerance"), [("vulkan", 1e-5), ("vulkan-f16", 1e-2)])
def test_odd_streams(target: str, tolerance: float, tmp_path: Path) -> None:
    """Nothing of what fills up lines reaches a sum, were it 0 x infinity or 0 x NaN."""
    rng = np.random.default_rng(2)
    cases = [replace(case, tolerance=tolerance) for case in odd_streams(rng)]
    precision = "f16" if target == "vulkan-f16" else "f32"
    compiled = check(cases, tmp_path, target, precision=precision)
    inputs = [(spoiled(case.inputs[0], (np.nan, np.inf)), *case.inputs[1:]) for case in cases]
    found = compiled(inputs)
    for case, outputs, wanted in zip(cases, found, plain_references(cases, inputs), strict=True):
        # Where PyTorch has NaN, a weight that is pruned may have met it.
        usable = np.isfinite(wanted[0])
        assert not difference(outputs[0][usable], wanted[0][usable], tolerance), case.name


# Switching oneDNN off says so.
@pytest.mark.filterwarnings("ignore:TF32 acceleration:UserWarning")
@pytest.mark.requires_vulkan
@pytest.mark.parametrize(("precision", "tolerance"), [("f32", 1e-5), ("f16", 1e-2)])
def test_crowded_layers(precision: str, tolerance: float, tmp_path: Path) -> None:
    target = "vulkan-f16" if precision == "f16" else "vulkan"
    cases = [replace(case, tolerance=tolerance) for case in crowded_layers()]
    check(cases, tmp_path, target, precision=precision)


@pytest.mark.requires_vulkan
def test_odd_booleans(tmp_path: Path) -> None:
    """Of sizes that do not fill words, which its shaders store."""
    check(odd_booleans(), tmp_path, "vulkan")


# Switching oneDNN off says so.
@pytest.mark.filterwarnings("ignore:TF32 acceleration:UserWarning")
@pytest.mark.requires_vulkan
def test_nan_and_infinity_flow(tmp_path: Path) -> None:
    """As in PyTorch: through sums, through activations that clamp, through maxima."""
    rng = np.random.default_rng(1)
    conv = fill(nn.Conv2d(4, 8, 3, padding=1), "dense", rng)
    modules = [
        nn.Sequential(conv, nn.ReLU()),
        nn.Sequential(conv, nn.ReLU6()),
        nn.MaxPool2d(3, 2, 1),
        nn.AdaptiveMaxPool2d(1),
    ]
    cases = [Case(str(m), m, (tensor(rng, 1, 4, 9, 9),)) for m in modules]
    compiled = Compiled(cases, tmp_path, "vulkan")
    for value in (float("nan"), float("inf"), float("-inf")):
        inputs = [tuple(spoiled(x, (value,)) for x in case.inputs) for case in cases]
        compare(cases, compiled(inputs), plain_references(cases, inputs), f" of {value}")


@pytest.mark.requires_vulkan
@pytest.mark.parametrize("make", [random_convolution, random_pool, random_linear])
def test_random_layers(make: Any, tmp_path: Path) -> None:
    check(random_cases(make, 0, 6), tmp_path, "vulkan")


@pytest.mark.requires_spirv
@pytest.mark.parametrize(
    ("target", "precision"),
    [*((target, "f32") for target in GPUS), ("vulkan-f16", "f16"), ("vulkan-mali", "f16")],
)
def test_shaders_are_valid(
    target: str, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is accepted for the version of Vulkan that the target promises.

    Where sums are f16 convolutions convert no numbers.
    """
    shaders = tmp_path / "shaders"
    dump = [f"--iree-hal-dump-executable-binaries-to={shaders}"]
    generate_code = functools.partial(code_generation.generate_code, extra_flags=dump)
    monkeypatch.setattr(lowered_bundle, "generate_code", generate_code)
    # Beside other ops of f16 layers would add up in f32.
    cases = networks() if precision == "f16" else [*networks(), *narrow(target)]
    inputs = tuple(value for case in cases for value in case.inputs)
    bundle = niwaki.compile(
        Branches(cases).eval(),
        inputs,
        target=target,
        output=tmp_path / "net.niwaki",
        precision=precision,
    )
    needed = {name.partition("=")[0] for name in bundle.manifest.device_features}
    assert needed <= {*FEATURES.values(), BUFFERS, device.SUBGROUP}
    found = sorted(shaders.glob("*.spv"))
    families = (
        "thread_gemm",
        "thread_depthwise",
        "thread_matvec",
        "thread_recurrence",
        "pool_max",
        "pool_sum",
        "reduce_max",
        "copy_rows",
    )
    assert all(any(family in path.name for path in found) for family in families)
    environment = get_target(target).spirv_env
    for shader in found:
        command = ["spirv-val", "--target-env", environment, str(shader)]
        checked = subprocess.run(command, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, f"{shader.name}: {checked.stdout}{checked.stderr}"
        if "thread_gemm" in shader.name:
            assert "OpFConvert" not in disassembled(shader), shader.name
            assert ("OpTypeFloat 16" in disassembled(shader)) == (precision == "f16")
        if "dispatch" not in shader.name:
            assert limits_problem(disassembled(shader)) == "", shader.name
    exchanging = any("OpGroupNonUniformShuffleXor" in disassembled(shader) for shader in found)
    assert exchanging == (get_target(target).subgroup > 0)


def limits_problem(code: str) -> str:
    """What of a kernel is beyond what every device of Vulkan 1.1 has; IREE's own ask for more."""
    buffers = len(re.findall(r"= OpVariable %\w+ StorageBuffer", code))
    if buffers > 4:
        return f"{buffers} buffers"
    (sizes,) = re.findall(r"LocalSize (\d+) (\d+) (\d+)", code)
    if math.prod(map(int, sizes)) > 128:
        return f"{sizes} threads"
    shared = [int(count) for count in re.findall(r"%_arr_\w+_uint_(\d+) = OpTypeArray", code)]
    if 4 * sum(shared) > 16 * 1024:
        return f"{shared} numbers of a workgroup"
    return ""


def disassembled(shader: Path) -> str:
    """A shader's code as text."""
    command = ["spirv-dis", str(shader)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.requires_vulkan
def test_grids_of_more_workgroups_than_devices_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where kernels have more workgroups along an axis, others of the launch take their places."""
    small = replace(get_target("vulkan"), workgroups=13)
    monkeypatch.setitem(TARGETS, "vulkan", small)
    rng = np.random.default_rng(5)
    sequences = Case("GRU", nn.GRU(3, 5), (tensor(rng, 4, 29, 3),))
    check([*networks(), sequences], tmp_path, "vulkan")


def test_types_that_shaders_cannot_store(tmp_path: Path) -> None:
    model, x = nn.ReLU().eval(), torch.ones(3, 2, dtype=torch.float16)
    with pytest.raises(NiwakiError, match="f16, which shaders of target 'vulkan' cannot store"):
        niwaki.compile(model, (x,), target="vulkan", output=tmp_path / "net.niwaki")
