"""The networks of examples/networks: pruned, compiled, and compared with PyTorch."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from c3d import C3D, c3d
from calibration import Example, calibrate, inputs
from cifar_resnet import resnet20
from efficientnet import EfficientNetB0, efficientnet_b0
from gru import digit_gru
from mobilenet_v2 import MobileNetV2, mobilenet_v2, mobilenet_v2_cifar
from r2plus1d import R2Plus1D, r2plus1d_18
from resnet import BasicBlock, Bottleneck, ResNet, resnet18, resnet50
from small_2d import small_2d
from small_3d import small_3d
from style import style_network
from torch import nn
from vgg import VGG, vgg16, vgg16_cifar
from wdsr import wdsr
from yolo import Yolo, yolov8n

import niwaki


@dataclass(frozen=True)
class Pruned:
    """A network, how it is pruned, and the kind of scheme that the compiler is to find.

    Attributes:
        options: of the network: smaller than it was published, for the test's sake.
    """

    network: Callable[..., Example]
    scheme: str
    rate: float
    found: str
    options: dict[str, Any] = field(default_factory=dict)


CASES = (
    Pruned(resnet20, "pattern", 4, "pattern"),
    Pruned(vgg16_cifar, "block_punched", 8, "block_punched"),
    Pruned(mobilenet_v2_cifar, "block_punched", 4, "block_punched"),
    Pruned(digit_gru, "block_column_row", 10, "block_column_row", {"frames": 5}),
    Pruned(small_2d, "block_punched", 4, "block_punched"),
    Pruned(small_3d, "kernel_group", 4, "block_punched", {"size": 16}),
    Pruned(wdsr, "pattern", 4, "pattern", {"size": 12, "blocks": 2}),
    Pruned(style_network, "block_punched", 4, "block_punched", {"size": 32, "width": 16}),
    Pruned(resnet18, "pattern", 8, "pattern", {"size": 32, "classes": 10}),
    Pruned(resnet50, "block_punched", 8, "block_punched", {"size": 32, "classes": 10}),
    Pruned(vgg16, "pattern", 8, "pattern", {"size": 32, "classes": 10}),
    Pruned(mobilenet_v2, "block_punched", 4, "block_punched", {"size": 32, "classes": 10}),
    Pruned(efficientnet_b0, "block_punched", 4, "block_punched", {"size": 64, "classes": 10}),
    Pruned(yolov8n, "block_punched", 4, "block_punched", {"size": 64, "classes": 10}),
    Pruned(c3d, "kernel_group", 8, "block_punched", {"size": 32, "frames": 16, "classes": 10}),
    Pruned(r2plus1d_18, "kernel_group", 8, "block_punched", {"size": 32, "frames": 4}),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.network.__name__)
def test_compiles_as_pruned(case: Pruned, tmp_path: Path) -> None:
    model, (x,) = case.network(**case.options)
    pruned = niwaki.prune(
        model, scheme=case.scheme, rate=case.rate, method="magnitude", progress=False
    )
    # What is left must still depend on the input. The last maps are a pixel or four: statistics of
    # a few such values would leave a network in which rounding grows to a percent of the result.
    calibrate(pruned, inputs(32, x.shape[1:], seed=1))
    bundle = niwaki.compile(pruned, x, output=tmp_path / "net.niwaki")
    network = bundle.load()
    exact = copy.deepcopy(pruned).double()
    results = []
    for example in (x, inputs(1, x.shape[1:], seed=2)):
        with torch.no_grad():
            expected = exact(example.double()).numpy()
        results.append(network(example.numpy()))
        assert np.abs(results[-1] - expected).max() <= 3e-4 * np.abs(expected).max()
    assert np.abs(results[0] - results[1]).max() > 0.05 * np.abs(results[0]).max()
    sparse = [layer for layer in bundle.layers if layer.kept < layer.weights / 2]
    kinds = Counter(layer.scheme.split("(")[0] for layer in sparse)
    assert kinds[case.found] > 0.8 * len(sparse) > 0


@pytest.mark.parametrize(
    ("build", "weights", "shape"),
    [
        # As in torchvision.
        (lambda: ResNet(BasicBlock, (2, 2, 2, 2), 1000, True), 11_689_512, (3, 224, 224)),
        (lambda: ResNet(Bottleneck, (3, 4, 6, 3), 1000, True), 25_557_032, (3, 224, 224)),
        (lambda: VGG(1000, False, classic=True), 138_357_544, (3, 224, 224)),
        (lambda: MobileNetV2(1000, True), 3_504_872, (3, 224, 224)),
        (lambda: EfficientNetB0(1000), 5_288_548, (3, 224, 224)),
        (lambda: R2Plus1D(400), 31_505_325, (3, 16, 112, 112)),
        # As in the paper, but for other classes.
        (lambda: C3D(101, 16, 112), 78_409_573, (3, 16, 112, 112)),
    ],
    ids=["resnet18", "resnet50", "vgg16", "mobilenet_v2", "efficientnet_b0", "r2plus1d", "c3d"],
)
def test_are_the_published_networks(
    build: Callable[[], nn.Module], weights: int, shape: tuple[int, ...]
) -> None:
    with torch.device("meta"):
        model = build().eval()
    assert sum(parameter.numel() for parameter in model.parameters()) == weights
    assert model(torch.empty(1, *shape, device="meta")).dim() == 2


def test_yolo_is_the_published_network() -> None:
    with torch.device("meta"):
        model = Yolo(80).eval()
    # 3,157,200 with the constants by which bins become distances, when boxes are decoded.
    assert sum(parameter.numel() for parameter in model.parameters()) + 16 == 3_157_200
    told = model(torch.empty(1, 3, 640, 640, device="meta"))
    assert told.shape == (1, 64 + 80, 80 * 80 + 40 * 40 + 20 * 20)


def test_cifar_resnet_is_the_papers() -> None:
    model, _ = resnet20()
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d) and m.kernel_size[0] > 1]
    # 19 convolutions and the linear layer; 0.27 million weights as in table 6.
    assert len(convolutions) == 19
    assert 268_000 < sum(p.numel() for p in model.parameters()) < 275_000


def test_mobilenet_for_small_images_keeps_them_larger() -> None:
    sizes = []
    for network in (mobilenet_v2, mobilenet_v2_cifar):
        model, (x,) = network(size=32, classes=10)
        sizes.append(model.features(x).shape[2:])
    assert sizes == [(1, 1), (4, 4)]
