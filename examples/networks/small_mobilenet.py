"""A MobileNetV2 for small grey images, of four inverted residuals."""

from __future__ import annotations

from mobilenet_v2 import InvertedResidual
from torch import Tensor, nn
from torch.nn import functional


class SmallMobileNet(nn.Module):
    """For images of 14x14, to which it brings larger ones.

    Args:
        width: times as many channels.
    """

    # inputs, outputs, stride
    BLOCKS = ((16, 24, 2), (24, 24, 1), (24, 40, 2), (40, 40, 1))

    def __init__(self, width: int = 1) -> None:
        super().__init__()
        first, last, head = (width * channels for channels in (16, 40, 96))
        self.stem = nn.Sequential(
            nn.Conv2d(1, first, 3, padding=1, bias=False), nn.BatchNorm2d(first), nn.ReLU6()
        )
        self.blocks = nn.Sequential(
            *(
                InvertedResidual(width * inputs, width * outputs, stride, 3, True)
                for inputs, outputs, stride in self.BLOCKS
            )
        )
        self.head = nn.Sequential(
            nn.Conv2d(last, head, 1, bias=False), nn.BatchNorm2d(head), nn.ReLU6()
        )
        self.classifier = nn.Linear(head, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.head(self.blocks(self.stem(functional.avg_pool2d(x, 2))))
        logits: Tensor = self.classifier(functional.adaptive_avg_pool2d(x, 1).flatten(1))
        return logits
