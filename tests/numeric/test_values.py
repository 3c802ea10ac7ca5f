"""NaN, infinity and extreme values flow as in PyTorch, and leave nothing behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from .cases import (
    Case,
    Compiled,
    another,
    compare,
    difference,
    plain_references,
    reference,
    spoiled,
)
from .random_layers import Padding, fill, tensor

# Switching oneDNN off says so.
pytestmark = pytest.mark.filterwarnings("ignore:TF32 acceleration:UserWarning")

NAN, INF = float("nan"), float("inf")


def networks() -> list[Case]:
    """One of each kernel, with halos, phases and remainders."""
    rng = np.random.default_rng(8)
    x = tensor(rng, 2, 5, 9, 13)
    first = fill(nn.Conv2d(5, 11, 3, padding=1), "dense", rng)
    second = fill(nn.Conv2d(11, 7, 5, stride=2, padding=2), "dense", rng)
    layers = {
        "convolution": fill(nn.Conv2d(5, 11, 3, padding=1), "dense", rng),
        "two convolutions": nn.Sequential(first, nn.ReLU(), second),
        "dilated": fill(nn.Conv2d(5, 3, 3, dilation=3, padding=4), "dense", rng),
        "grouped": fill(nn.Conv2d(5, 10, 2, stride=3, groups=5), "dense", rng),
        "depthwise": fill(nn.Conv2d(5, 5, 3, padding=1, groups=5), "dense", rng),
        "maximum pool": nn.MaxPool2d(3, 2, 1),
        "dilated maximum pool": nn.MaxPool2d(3, 1, 1, dilation=2),
        "average pool": nn.AvgPool2d(3, 2, 1),
        "global maximum": nn.AdaptiveMaxPool2d(1),
        "global average": nn.AdaptiveAvgPool2d(1),
    }
    tails = (
        nn.ReLU(), nn.ReLU6(), nn.Hardtanh(-0.1, 0.2), nn.Hardswish(), nn.Hardsigmoid(),
        nn.LeakyReLU(), nn.Sigmoid(), nn.Tanh(), nn.GELU(), nn.SiLU(), nn.ELU(),
    )  # fmt: skip
    linear = nn.Sequential(fill(nn.Linear(17, 21), "dense", rng), nn.ReLU6())
    return [
        Case("linear", linear, (tensor(rng, 3, 17),)),
        Case(
            "3-D", fill(nn.Conv3d(2, 3, 3, padding=1), "dense", rng), (tensor(rng, 1, 2, 4, 5, 6),)
        ),
        Case("1-D", fill(nn.Conv1d(2, 3, 3, padding=1), "dense", rng), (tensor(rng, 1, 2, 37),)),
        *[Case(name, layer, (x,)) for name, layer in layers.items()],
        *[Case(str(tail), nn.Sequential(layers["convolution"], tail), (x,)) for tail in tails],
    ]


NETWORKS_OF_STRANGE_WEIGHTS = 8  # the first ones, up to "depthwise"


STRANGE = (
    (NAN,), (INF,), (-INF,), (INF, -INF), (NAN, INF, 3.0), (1e30, -1e30), (3e38,), (1e-42,),
)  # fmt: skip


def test_strange_inputs_flow_and_leave_nothing(tmp_path: Path) -> None:
    """Between runs on strange inputs, results on normal ones stay the same to the last bit."""
    cases = networks()
    compiled = Compiled(cases, tmp_path)
    normal = [case.inputs for case in cases]
    before = compiled(normal)
    for values in STRANGE:
        strange = [tuple(spoiled(x, values) for x in inputs) for inputs in normal]
        compare(cases, compiled(strange), plain_references(cases, strange), f" of {values}")
        compiled([tuple(torch.full_like(x, values[0]) for x in inputs) for inputs in normal])
        after = compiled(normal)
        pairs = zip(cases, before, after, strict=True)
        changed = [case.name for case, a, b in pairs if not all(map(np.array_equal, a, b))]
        assert not changed, f"after {values} the results of {changed} differ"


def test_strange_weights_flow(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    cases = []
    for value in (NAN, INF, -INF, 1e30):
        for case in networks()[:NETWORKS_OF_STRANGE_WEIGHTS]:
            for parameter in case.model.parameters():
                if value is NAN and parameter.ndim > 1:
                    continue  # is refused
                with torch.no_grad():
                    parameter.view(-1)[int(rng.integers(parameter.numel()))] = value
            cases.append(replace(case, name=f"{case.name} with a weight {value}"))
    compiled = Compiled(cases, tmp_path)
    for inputs in ([case.inputs for case in cases], [tuple(map(another, c.inputs)) for c in cases]):
        compare(cases, compiled(inputs), plain_references(cases, inputs))


def test_pruned_weights_do_not_meet_infinity(tmp_path: Path) -> None:
    """A weight that is pruned is not there: infinity times zero is NaN in PyTorch, nothing here."""
    rng = np.random.default_rng(10)
    layer = fill(nn.Conv2d(16, 16, 3, padding=1, bias=False), "dense", rng)
    with torch.no_grad():
        layer.weight[:, ::2] = 0
    x = tensor(rng, 1, 16, 9, 9)
    x[:, ::2] = INF
    compiled = Compiled([Case("every second channel", layer, (x,))], tmp_path)
    ((output,),) = compiled([(x,)])
    x[:, ::2] = 0
    (expected,) = reference(layer, (x,))
    assert not difference(output, expected)


def test_padding_of_other_values(tmp_path: Path) -> None:
    """What is not zero cannot be the halo's zeros."""
    rng = np.random.default_rng(11)
    x = tensor(rng, 1, 5, 6, 7)
    layer = fill(nn.Conv2d(5, 8, 3), "dense", rng)
    cases = [
        Case(f"padding {value}, {name}", nn.Sequential(Padding([1, 2, 3, 0], value), after), (x,))
        for value in (0.0, -0.0, 1.5, NAN, INF, -INF)
        for name, after in (
            ("convolution", layer),
            ("maximum", nn.MaxPool2d(3, 1)),
            ("average", nn.AvgPool2d(3, 2)),
        )
    ]
    cases += [
        Case(
            "maximum of windows outside",
            nn.Sequential(Padding([5, 5, 4, 9], -INF), nn.MaxPool2d(2)),
            (x,),
        ),
        Case("reflected", nn.Sequential(nn.ReflectionPad2d(2), layer), (x,)),
        Case("replicated", nn.Sequential(nn.ReplicationPad2d(2), layer), (x,)),
        Case("cropped", nn.Sequential(Padding([-1, 2, 1, -2]), layer), (x,)),
        Case(
            "padded twice",
            nn.Sequential(Padding([1, 2, 3, 4]), nn.Conv2d(5, 3, 3, padding=2)),
            (x,),
        ),
        Case(
            "padded channels", nn.Sequential(Padding([1, 1, 1, 1, 0, 2]), nn.Conv2d(7, 3, 3)), (x,)
        ),
    ]
    inputs = [case.inputs for case in cases]
    compare(cases, Compiled(cases, tmp_path)(inputs), plain_references(cases, inputs))
