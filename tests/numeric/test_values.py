"""NaN, infinity and extreme values flow as in PyTorch, and leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from .cases import Case, Tensors, another, compile_cases, difference, reference
from .random_layers import CONVOLUTIONS, Padding, fill, tensor

NAN, INF = float("nan"), float("inf")


def networks() -> list[Case]:
    """One of each kernel, with halos, phases and remainders."""
    rng = np.random.default_rng(8)
    x, wide = tensor(rng, 2, 5, 9, 13), tensor(rng, 3, 17)
    convolution = fill(nn.Conv2d(5, 11, 3, padding=1), "dense", rng)
    strided = fill(nn.Conv2d(11, 7, 5, stride=2, padding=2), "dense", rng)
    return [
        Case("convolution", convolution, (x,)),
        Case("convolutions", nn.Sequential(convolution, nn.ReLU(), strided), (x,)),
        Case("dilated", fill(nn.Conv2d(5, 3, 3, dilation=3, padding=4), "dense", rng), (x,)),
        Case("grouped", fill(nn.Conv2d(5, 10, 2, stride=3, groups=5), "dense", rng), (x,)),
        Case("depthwise", fill(nn.Conv2d(5, 5, 3, padding=1, groups=5), "dense", rng), (x,)),
        Case("relu", nn.Sequential(convolution, nn.ReLU()), (x,)),
        Case("relu6", nn.Sequential(convolution, nn.ReLU6()), (x,)),
        Case("hardtanh", nn.Sequential(convolution, nn.Hardtanh(-0.1, 0.2)), (x,)),
        Case("hardswish", nn.Sequential(convolution, nn.Hardswish()), (x,)),
        Case("hardsigmoid", nn.Sequential(convolution, nn.Hardsigmoid()), (x,)),
        Case("leaky relu", nn.Sequential(convolution, nn.LeakyReLU()), (x,)),
        Case("sigmoid", nn.Sequential(convolution, nn.Sigmoid()), (x,)),
        Case("tanh", nn.Sequential(convolution, nn.Tanh()), (x,)),
        Case("gelu", nn.Sequential(convolution, nn.GELU()), (x,)),
        Case("silu", nn.Sequential(convolution, nn.SiLU()), (x,)),
        Case("elu", nn.Sequential(convolution, nn.ELU()), (x,)),
        Case("maximum pool", nn.MaxPool2d(3, 2, 1), (x,)),
        Case("dilated maximum pool", nn.MaxPool2d(3, 1, 1, dilation=2), (x,)),
        Case("average pool", nn.AvgPool2d(3, 2, 1), (x,)),
        Case("global maximum", nn.AdaptiveMaxPool2d(1), (x,)),
        Case("global average", nn.AdaptiveAvgPool2d(1), (x,)),
        Case("linear", fill(nn.Linear(17, 21), "dense", rng), (wide,)),
        Case("linear relu6", nn.Sequential(fill(nn.Linear(17, 21), "dense", rng), nn.ReLU6()), (wide,)),
        Case("3-D", fill(CONVOLUTIONS[2](2, 3, 3, padding=1), "dense", rng), (tensor(rng, 1, 2, 4, 5, 6),)),
        Case("1-D", fill(CONVOLUTIONS[0](2, 3, 3, padding=1), "dense", rng), (tensor(rng, 1, 2, 37),)),
    ]


def spoiled(x: torch.Tensor, values: tuple[float, ...]) -> torch.Tensor:
    """`x` with some of its elements replaced, corners among them."""
    flat = x.clone().reshape(-1)
    places = [0, flat.numel() - 1, *range(3, flat.numel(), max(7, flat.numel() // 9))]
    for i, place in enumerate(places):
        flat[place] = values[i % len(values)]
    return flat.reshape(x.shape)


def all_of(x: torch.Tensor, value: float) -> torch.Tensor:
    return torch.full_like(x, value)


def test_strange_inputs_flow_and_leave_nothing(tmp_path: Path) -> None:
    """Between runs on strange inputs, results on normal ones stay the same to the last bit."""
    cases = networks()
    run = compile_cases(cases, tmp_path)
    normal = [case.inputs for case in cases]
    before = run(normal)
    problems = []
    for values in ((NAN,), (INF,), (-INF,), (INF, -INF), (NAN, INF, 3.0), (1e30, -1e30), (3e38,), (1e-42,)):
        strange = [tuple(spoiled(x, values) for x in case.inputs) for case in cases]
        problems += compare(cases, run(strange), strange, str(values))
        everywhere = [tuple(all_of(x, values[0]) for x in case.inputs) for case in cases]
        run(everywhere)
        after = run(normal)
        problems += [
            f"{case.name}: differs after {values}"
            for case, a, b in zip(cases, before, after, strict=True)
            if not all(map(np.array_equal, a, b))
        ]
    assert not problems, "\n" + "\n".join(problems)


def compare(cases: list[Case], found: list[list[np.ndarray]], inputs: list[Tensors], what: str) -> list[str]:
    return [
        f"{case.name} of {what}: {problem}"
        for case, outputs, given in zip(cases, found, inputs, strict=True)
        for output, expected in zip(outputs, reference(case.model, given), strict=True)
        if (problem := difference(output, expected))
    ]


def test_strange_weights_flow(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    cases = []
    for value in (NAN, INF, -INF, 1e38):
        for case in networks():
            if not case.name.startswith(("relu", "hard", "max", "dil", "av", "gl")):
                model = nn.Sequential(case.model)
                for parameter in model.parameters():
                    if parameter.numel() > 1:
                        with torch.no_grad():
                            parameter.view(-1)[int(rng.integers(parameter.numel()))] = value
                cases.append(Case(f"{case.name} with a weight {value}", model, case.inputs))
    run = compile_cases(cases, tmp_path)
    problems = []
    for inputs in ([case.inputs for case in cases], [tuple(map(another, c.inputs)) for c in cases]):
        problems += compare(cases, run(inputs), inputs, "normal values")
    assert not problems, "\n" + "\n".join(problems)


def test_pruned_weights_do_not_meet_infinity(tmp_path: Path) -> None:
    """A weight that is pruned is not there: infinity times zero is NaN in PyTorch, nothing here."""
    rng = np.random.default_rng(10)
    layer = fill(nn.Conv2d(16, 16, 3, padding=1, bias=False), "dense", rng)
    with torch.no_grad():
        layer.weight[:, ::2] = 0
    x = tensor(rng, 1, 16, 9, 9)
    x[:, ::2] = INF
    run = compile_cases([Case("every second channel", layer, (x,))], tmp_path)
    ((output,),) = run([(x,)])
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
        for name, after in (("convolution", layer), ("maximum", nn.MaxPool2d(3, 1)), ("average", nn.AvgPool2d(3, 2)))
    ]
    cases += [
        Case("maximum of windows outside", nn.Sequential(Padding([5, 5, 4, 9], -INF), nn.MaxPool2d(2)), (x,)),
        Case("reflected", nn.Sequential(nn.ReflectionPad2d(2), layer), (x,)),
        Case("replicated", nn.Sequential(nn.ReplicationPad2d(2), layer), (x,)),
        Case("cropped", nn.Sequential(Padding([-1, 2, 1, -2]), layer), (x,)),
        Case("padded twice", nn.Sequential(Padding([1, 2, 3, 4]), nn.Conv2d(5, 3, 3, padding=2)), (x,)),
        Case("padded channels", nn.Sequential(Padding([1, 1, 1, 1, 0, 2]), nn.Conv2d(7, 3, 3)), (x,)),
    ]
    run = compile_cases(cases, tmp_path)
    inputs = [case.inputs for case in cases]
    problems = compare(cases, run(inputs), inputs, "normal values")
    assert not problems, "\n" + "\n".join(problems)
