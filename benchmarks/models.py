"""The networks that benchmarks and tests compile, written out so that nothing needs torchvision.

Layers are named as in torchvision (`layer1.0.conv1`, `features.3`). Each function returns the
module in eval mode and its example inputs, ``(module, (image,))``, the same ones every time.
Weights are random, but calibrated: a deep network with PyTorch's initial weights hardly depends on
its input, and two that agree on it prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional

Example = tuple[nn.Module, tuple[torch.Tensor]]

_CALIBRATION_INPUTS = 4


def resnet18(size: int = 224, classes: int = 1000, batch_norm: bool = True) -> Example:
    """ResNet-18 (He et al., "Deep Residual Learning for Image Recognition", 2015)."""
    return _finish(lambda: ResNet(BasicBlock, (2, 2, 2, 2), classes, batch_norm), size)


def resnet50(size: int = 224, classes: int = 1000, batch_norm: bool = True) -> Example:
    """ResNet-50, with the stride in the 3x3 convolutions as everybody trains it today."""
    return _finish(lambda: ResNet(Bottleneck, (3, 4, 6, 3), classes, batch_norm), size)


def vgg16(size: int = 224, classes: int = 1000, batch_norm: bool = False) -> Example:
    """VGG-16's convolutions, then global average pooling and one linear layer."""
    return _finish(lambda: VGG(classes, batch_norm, classic=False), size)


def vgg16_classic(size: int = 224, classes: int = 1000, batch_norm: bool = False) -> Example:
    """VGG-16 (Simonyan and Zisserman, 2014) with its three large linear layers."""
    return _finish(lambda: VGG(classes, batch_norm, classic=True), size)


def mobilenet_v2(size: int = 224, classes: int = 1000, batch_norm: bool = True) -> Example:
    """MobileNetV2 (Sandler et al., "Inverted Residuals and Linear Bottlenecks", 2018)."""
    return _finish(lambda: MobileNetV2(classes, batch_norm), size)


def c3d(size: int = 112, classes: int = 487, frames: int = 16) -> Example:
    """C3D (Tran et al., "Learning Spatiotemporal Features with 3D Convolutional Networks", 2014).

    Takes clips of so many frames; its classes are those of Sports-1M.
    """
    return _finish(lambda: C3D(classes, frames, size), size, frames)


MODELS: dict[str, Callable[..., Example]] = {
    function.__name__: function
    for function in (resnet18, resnet50, vgg16, vgg16_classic, mobilenet_v2, c3d)
}


def inputs(count: int, shape: Sequence[int], seed: int = 0) -> torch.Tensor:
    """Random [count, *shape] that differ in coarse shapes, as photographs and films do.

    `shape` is that of one image or clip: channels, then two or three sizes.
    """
    generator = torch.Generator().manual_seed(seed)
    channels, *sizes = shape
    coarse = torch.randn(count, channels, *[4] * len(sizes), generator=generator)
    mode = {2: "bilinear", 3: "trilinear"}[len(sizes)]
    smooth = functional.interpolate(coarse, size=tuple(sizes), mode=mode)
    return smooth + 0.3 * torch.randn(count, *shape, generator=generator)


@torch.no_grad()
def calibrate(model: nn.Module, inputs: torch.Tensor) -> None:
    """Make every layer of `model` depend on its input: centred, spread one, over `inputs`.

    Batch-norm gets the statistics it would have learned, and a scale and shift away from one and
    zero; other layers are scaled, and centred where they have a bias. `inputs` must hold several
    different inputs.
    """

    def adapt(
        module: nn.Module, arguments: tuple[torch.Tensor], output: torch.Tensor
    ) -> torch.Tensor:
        x = arguments[0]
        other_axes = [axis for axis in range(output.ndim) if axis != 1]
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean = x.mean(other_axes)
            module.running_var = x.var(other_axes) + 1e-3
            module.weight.uniform_(0.5, 1.5)
            module.bias.normal_(0, 0.2)
        else:
            assert isinstance(module.weight, nn.Parameter)
            spread = output.std()
            if isinstance(module.bias, nn.Parameter):
                module.bias -= output.mean(other_axes)
                spread = (output - output.mean(other_axes, keepdim=True)).std()
                module.bias /= spread
            module.weight /= spread
        return module.forward(x)

    kinds = (nn.modules.conv._ConvNd, nn.Linear, nn.modules.batchnorm._BatchNorm)
    hooks = [
        module.register_forward_hook(adapt)
        for module in model.modules()
        if isinstance(module, kinds)
    ]
    model(inputs)
    for hook in hooks:
        hook.remove()


def _finish(build: Callable[[], nn.Module], size: int, frames: int | None = None) -> Example:
    shape = (3, size, size) if frames is None else (3, frames, size, size)
    with _fixed_seed():
        model = build().eval().requires_grad_(False)
        calibrate(model, inputs(_CALIBRATION_INPUTS, shape, seed=1))
    return model, (inputs(1, shape),)


@contextmanager
def _fixed_seed() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def _norm(channels: int, batch_norm: bool) -> nn.Module:
    return nn.BatchNorm2d(channels) if batch_norm else nn.Identity()


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int, batch_norm: bool) -> None:
        super().__init__()
        bias = not batch_norm
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=bias)
        self.bn1 = _norm(width, batch_norm)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=bias)
        self.bn2 = _norm(width, batch_norm)
        self.downsample = _shortcut(inputs, width, stride, batch_norm)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return functional.relu(y + self.downsample(x))


class Bottleneck(nn.Module):
    """A 1x1, a 3x3 and a 1x1 convolution beside a shortcut."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int, batch_norm: bool) -> None:
        super().__init__()
        bias, outputs = not batch_norm, width * self.expansion
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=bias)
        self.bn1 = _norm(width, batch_norm)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=bias)
        self.bn2 = _norm(width, batch_norm)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=bias)
        self.bn3 = _norm(outputs, batch_norm)
        self.downsample = _shortcut(inputs, outputs, stride, batch_norm)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return functional.relu(y + self.downsample(x))


def _shortcut(inputs: int, outputs: int, stride: int, batch_norm: bool) -> nn.Module:
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    convolution = nn.Conv2d(inputs, outputs, 1, stride, bias=not batch_norm)
    return nn.Sequential(convolution, _norm(outputs, batch_norm))


class ResNet(nn.Module):
    """A 7x7 convolution, four stages of blocks, global average pooling and a linear layer."""

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        depths: tuple[int, int, int, int],
        classes: int,
        batch_norm: bool,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=not batch_norm)
        self.bn1 = _norm(64, batch_norm)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = 64
        for stage, depth in enumerate(depths):
            width, blocks = 64 << stage, []
            for number in range(depth):
                stride = 2 if stage > 0 and number == 0 else 1
                blocks.append(block(channels, width, stride, batch_norm))
                channels = width * block.expansion
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.maxpool(functional.relu(self.bn1(self.conv1(x))))
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


class VGG(nn.Module):
    """Thirteen 3x3 convolutions and five max-poolings, then one linear layer or three."""

    WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))

    def __init__(self, classes: int, batch_norm: bool, classic: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for widths in self.WIDTHS:
            for width in widths:
                layers.append(nn.Conv2d(channels, width, 3, padding=1))
                layers += [nn.BatchNorm2d(width)] if batch_norm else []
                layers.append(nn.ReLU(inplace=True))
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(7 if classic else 1)
        self.classifier: nn.Module = nn.Linear(channels, classes)
        if classic:
            self.classifier = nn.Sequential(
                nn.Linear(channels * 49, 4096),
                nn.ReLU(inplace=True),
                nn.Dropout(),
                nn.Linear(4096, 4096),
                nn.ReLU(inplace=True),
                nn.Dropout(),
                nn.Linear(4096, classes),
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


class InvertedResidual(nn.Module):
    """Widen by a 1x1 convolution, filter each channel by a 3x3 one, narrow by a 1x1 one."""

    def __init__(
        self, inputs: int, outputs: int, stride: int, expansion: int, batch_norm: bool
    ) -> None:
        super().__init__()
        width = inputs * expansion
        widen = [_conv_relu6(inputs, width, 1, 1, 1, batch_norm)] if expansion != 1 else []
        self.conv = nn.Sequential(
            *widen,
            _conv_relu6(width, width, 3, stride, width, batch_norm),
            nn.Conv2d(width, outputs, 1, bias=not batch_norm),
            _norm(outputs, batch_norm),
        )
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x) if self.has_shortcut else self.conv(x)


class MobileNetV2(nn.Module):
    """Seventeen inverted residuals between a 3x3 and a 1x1 convolution, then the classifier."""

    # expansion, output channels, repetitions, stride of the first
    STAGES = (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )

    def __init__(self, classes: int, batch_norm: bool) -> None:
        super().__init__()
        channels = 32
        layers: list[nn.Module] = [_conv_relu6(3, channels, 3, 2, 1, batch_norm)]
        for expansion, width, repetitions, first_stride in self.STAGES:
            for number in range(repetitions):
                stride = first_stride if number == 0 else 1
                layers.append(InvertedResidual(channels, width, stride, expansion, batch_norm))
                channels = width
        layers.append(_conv_relu6(channels, 1280, 1, 1, 1, batch_norm))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.adaptive_avg_pool2d(self.features(x), 1)
        return self.classifier(torch.flatten(x, 1))


def _conv_relu6(
    inputs: int, outputs: int, kernel: int, stride: int, groups: int, batch_norm: bool
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=not batch_norm),
        _norm(outputs, batch_norm),
        nn.ReLU6(inplace=True),
    )


class C3D(nn.Module):
    """Eight 3x3x3 convolutions and five max-poolings, the first within frames, then three linear.

    With 16 frames of 112x112 there are 8192 features, as in the paper.
    """

    # The widths between two poolings, by the names of their layers.
    STAGES = (
        (("conv1", 64),),
        (("conv2", 128),),
        (("conv3a", 256), ("conv3b", 256)),
        (("conv4a", 512), ("conv4b", 512)),
        (("conv5a", 512), ("conv5b", 512)),
    )

    def __init__(self, classes: int, frames: int, size: int) -> None:
        super().__init__()
        channels = 3
        for stage in self.STAGES:
            for name, width in stage:
                self.add_module(name, nn.Conv3d(channels, width, 3, padding=1))
                channels = width
        # The first pooling keeps all frames; the last takes an edge of zeros to make 7 even.
        depth, side = frames, size
        for number in range(len(self.STAGES)):
            depth = depth if number == 0 else depth // 2
            side = side // 2 if number < len(self.STAGES) - 1 else (side + 2) // 2
        self.fc6 = nn.Linear(channels * depth * side * side, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        last = len(self.STAGES) - 1
        for number, stage in enumerate(self.STAGES):
            for name, _ in stage:
                x = functional.relu(self.get_submodule(name)(x))
            depth = 1 if number == 0 else 2
            padding = (0, 1, 1) if number == last else 0
            x = functional.max_pool3d(x, (depth, 2, 2), padding=padding)
        x = functional.relu(self.fc6(torch.flatten(x, 1)))
        return self.fc8(functional.relu(self.fc7(x)))
