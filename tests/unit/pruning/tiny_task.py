"""A task that trains in a second: which of four directions the stripes of an image have."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

SIZE = 12


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 16, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 4),
    )


def images(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Noisy stripes [N, 1, 12, 12] and their directions, 0 to 3."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (count,), generator=generator)
    phase = torch.rand(count, 1, 1, generator=generator) * 6.28
    angle = (labels * 0.7854)[:, None, None]
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    waves = torch.sin(1.5 * (x * torch.cos(angle) + y * torch.sin(angle)) + phase)
    noise = torch.randn(count, SIZE, SIZE, generator=generator)
    return (waves + noise)[:, None], labels


def loader(count: int = 256) -> DataLoader[tuple[Tensor, ...]]:
    return DataLoader(TensorDataset(*images(count, 1)), batch_size=32, shuffle=True)


def accuracy(model: nn.Module) -> float:
    x, labels = images(256, 2)
    return float((model(x).argmax(1) == labels).float().mean())


def trained() -> nn.Module:
    """The network after a few epochs."""
    model = network()
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(6):
        for x, labels in loader():
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x), labels).backward()
            optimiser.step()
    return model
