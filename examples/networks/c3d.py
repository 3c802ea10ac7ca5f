"""C3D (Tran et al., "Learning Spatiotemporal Features with 3D Convolutional Networks").

https://arxiv.org/abs/1412.0767
"""

from __future__ import annotations

import torch
from calibration import Example, calibrated
from torch import nn
from torch.nn import functional


def c3d(size: int = 112, classes: int = 487, frames: int = 16) -> Example:
    """Takes clips of so many frames; its classes are those of Sports-1M."""
    return calibrated(lambda: C3D(classes, frames, size), (3, frames, size, size))


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
