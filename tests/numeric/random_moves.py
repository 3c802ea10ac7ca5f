"""Random chains of ops that move values, resize and pool, with convolutions between them.

Most moves are left to IREE. What is tried is that each compiles beside the others and layers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from .cases import Case

Move = Callable[[Tensor], Tensor]

MOST_VALUES = 6000
RESIZING = {1: "linear", 2: "bilinear", 3: "trilinear"}


class Moved(nn.Module):
    """A move as a module."""

    def __init__(self, move: Move) -> None:
        super().__init__()
        self.move = move

    def forward(self, x: Tensor) -> Tensor:
        return self.move(x)


def random_chain(seed: int) -> Case:
    """Two to five steps on an image, a line or a volume."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    rank = rng.choice((1, 2, 2, 2, 3))
    x = torch.randn(rng.choice((1, 1, 2)), rng.randint(1, 6), *(rng.randint(2, 9),) * rank)
    steps: list[nn.Module] = []
    names: list[str] = []
    y = x
    for _ in range(rng.randint(2, 5)):
        name, step = _convolution(rng, y) if rng.random() < 0.4 else _move(rng, y)
        with torch.no_grad():
            y = step(y)
        steps.append(step)
        names.append(name)
    return Case(f"{seed}: {tuple(x.shape)} {' '.join(names)}", nn.Sequential(*steps), (x,))


def _convolution(rng: random.Random, x: Tensor) -> tuple[str, nn.Module]:
    kernel, filters = rng.choice((1, 3)), rng.choice((2, 4, 6, 8))
    kind = getattr(nn, f"Conv{x.dim() - 2}d")
    return f"conv {kernel}", kind(x.shape[1], filters, kernel, padding=kernel // 2)


def _move(rng: random.Random, x: Tensor) -> tuple[str, nn.Module]:
    """The first move, of all in any order, that can be made and is not too large."""
    moves = list(_moves(rng, x.shape))
    rng.shuffle(moves)
    for name, move in moves:
        if 0 < move(x).numel() <= MOST_VALUES:
            return name, Moved(move)
    return "relu", nn.ReLU()


def _moves(rng: random.Random, shape: torch.Size) -> Iterator[tuple[str, Move]]:
    rank, dim = len(shape) - 2, rng.randrange(1, len(shape))
    size, wanted = shape[dim], [rng.randint(1, 7) for _ in shape[2:]]
    shift, begin, step = rng.randint(-5, 5), rng.randrange(size), rng.randint(2, 3)
    every = (slice(None),) * dim + (slice(begin, None, step),)
    places = torch.tensor([rng.randrange(size) for _ in range(5)])
    window, stride = rng.choice((1, 2, 3)), rng.choice((1, 2))
    yield "roll", lambda x: torch.roll(x, shift, dim)
    yield "slice", lambda x: x.narrow(dim, begin, size - begin)
    yield "strided", lambda x: x[every]
    yield "flip", lambda x: x.flip(dim)
    yield "joined", lambda x: torch.cat([x.narrow(dim, begin, size - begin), x], dim)
    yield "swapped", lambda x: torch.cat(list(reversed(x.chunk(2, dim))), dim)
    yield "lookup", lambda x: x.index_select(dim, places)
    yield "transposed", lambda x: x.transpose(1, dim)
    yield "softmax", lambda x: x.softmax(dim)
    yield "nearest", lambda x: functional.interpolate(x, wanted)
    yield "linear", lambda x: functional.interpolate(x, wanted, mode=RESIZING[rank])
    for kind in ("max", "avg"):
        adaptive = getattr(functional, f"adaptive_{kind}_pool{rank}d")
        yield f"adaptive {kind}", lambda x, pool=adaptive: pool(x, wanted)  # type: ignore[misc]
        ordinary = getattr(functional, f"{kind}_pool{rank}d")
        if min(shape[2:]) >= window:
            yield kind, lambda x, pool=ordinary: pool(x, window, stride)  # type: ignore[misc]
    if min(shape[2:]) > 2:
        sides = [rng.randint(-1, 2) for _ in range(2 * rank)]
        for mode in ("constant", "reflect", "replicate", "circular"):
            yield mode, lambda x, mode=mode: functional.pad(x, sides, mode)  # type: ignore[misc]
