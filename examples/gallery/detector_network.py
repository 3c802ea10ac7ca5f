"""A detector of one stage: a residual backbone, two maps of places, and what each place says.

    image [N, 3, H, W]   -->   [N, 4 + CLASSES, H/8 * W/8 + H/16 * W/16]

A place of a map says how far the sides of a thing's box are from its middle (left, top, right,
bottom, as logarithms, in strides of its map) and how likely each class is, as logits. It has no
anchors, as FCOS (https://arxiv.org/abs/1904.01355). Nearly all work is in 3x3 convolutions. What
the demo's classifier has learnt of clothes is where training starts.
"""

from __future__ import annotations

import math

import torch
from fashion_mnist import BasicBlock, FashionNet
from torch import Tensor, nn
from torch.nn import functional

SIDES, CLASSES = 4, 10
STRIDES = (8, 16)
WIDTHS = (32, 64, 128)
STEM = 16
RARE = 0.01  # how likely a class is before training: most places see nothing


class Detector(nn.Module):
    """Stem, three stages, of which the last two feed a head each; the coarse map helps the fine."""

    def __init__(self) -> None:
        super().__init__()
        stage1, stage2, stage3 = WIDTHS
        self.stem = convolution(3, STEM, 3, stride=2)
        self.stage1 = nn.Sequential(BasicBlock(STEM, stage1, 2))
        self.stage2 = nn.Sequential(BasicBlock(stage1, stage2, 2), BasicBlock(stage2, stage2))
        self.stage3 = nn.Sequential(BasicBlock(stage2, stage3, 2), BasicBlock(stage3, stage3))
        self.lateral = convolution(stage3, stage2, 1)
        self.fine = head(stage2)
        self.coarse = head(stage3)

    def forward(self, image: Tensor) -> Tensor:
        middle = self.stage2(self.stage1(self.stem(image)))
        coarse = self.stage3(middle)
        helped = functional.interpolate(self.lateral(coarse), scale_factor=2.0, mode="nearest")
        maps = self.fine(middle + helped), self.coarse(coarse)
        return torch.cat([one.flatten(2) for one in maps], 2)


@torch.no_grad()
def start_from(detector: Detector, classifier: FashionNet) -> Detector:
    """The detector with the classifier's weights, whose stages are the same but for the last block.

    Things here are twice as large, and the stem's stride makes them as small as they were there.
    """
    kernels = classifier.conv1.weight.expand(-1, 3, -1, -1) / 3  # grey, of three colours
    detector.stem[0].weight.copy_(kernels)
    detector.stem[1].load_state_dict(classifier.bn1.state_dict())
    pairs = {
        detector.stage1: classifier.layer1,
        detector.stage2: classifier.layer2,
        detector.stage3[:1]: classifier.layer3,
    }
    for ours, theirs in pairs.items():
        ours.load_state_dict(theirs.state_dict())
    # The last block begins as if it were not there.
    nn.init.zeros_(detector.stage3[1].bn2.weight)
    return detector


def convolution(channels: int, filters: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(filters),
        nn.ReLU(),
    )


def head(width: int) -> nn.Sequential:
    """A 3x3 convolution, and a 1x1 one that speaks."""
    told = nn.Conv2d(width, SIDES + CLASSES, 1)
    with torch.no_grad():
        told.bias[SIDES:] = -math.log(1 / RARE - 1)
    return nn.Sequential(convolution(width, width, 3), told)


def places(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Middles ``[P, (x, y)]`` of the places of both maps, and their strides ``[P]``, in pixels."""
    middles, strides = [], []
    for stride in STRIDES:
        y, x = (torch.arange(side // stride) * stride + stride / 2 for side in (height, width))
        rows, columns = torch.meshgrid(y, x, indexing="ij")
        middles.append(torch.stack((columns, rows), -1).reshape(-1, 2))
        strides.append(torch.full((len(middles[-1]),), float(stride)))
    return torch.cat(middles), torch.cat(strides)


def boxes_at(told: Tensor, middles: Tensor, strides: Tensor) -> Tensor:
    """Boxes ``[..., P, (left, top, right, bottom)]`` of what places say: ``[..., 4, P]``."""
    distances = told.clamp(-4, 5).exp() * strides
    left, top, right, bottom = distances.unbind(-2)
    x, y = middles.unbind(-1)
    return torch.stack((x - left, y - top, x + right, y + bottom), -1)
