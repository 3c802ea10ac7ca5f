"""Encoders of many sizes that share the weights of one: each has leading parts of the large one's.

    wide.weight [512, 128]   -->   wide.weight[:192, :64], where words have 64 numbers

So a candidate of a search starts as well trained as the shared weights are in its sizes, and needs
little training of its own.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from bert import PADDING, Bert, Layer
from questions import HIDDEN, UNKNOWN_WORD, trimmed
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from niwaki.studies import Integer, Point

MOST_LAYERS, WIDTHS, HEADS, WIDE = 4, (32, 64, 96, 128), (1, 2, 3, 4), tuple(range(64, 513, 64))
HEAD = 32  # numbers of a head
BATCH, POOL, RATE, DECAY = 64, 8, 1e-3, 0.01
SHARE, TEMPERATURE = 0.5, 2.0  # of the teacher's answers

# A network's parameters by name, those that it was made with or parts of others'.
Weights = dict[str, Tensor]
# Of questions and targets.
Losses = Callable[[Tensor, Tensor], Iterable[Tensor]]


@dataclass(frozen=True)
class Sizes:
    """Of an encoder.

    Attributes:
        width: numbers of a word.
        heads: of each layer's attention.
        wide: numbers between the two linear layers of each layer.
    """

    width: int
    heads: tuple[int, ...]
    wide: tuple[int, ...]

    def build(self, dropout: float = 0.1) -> Bert:
        network = Bert(width=self.width, layers=0, dropout=dropout)
        for heads, wide in zip(self.heads, self.wide, strict=True):
            network.layers.append(Layer(self.width, heads, dropout, HEAD, wide))
        return network


def _everywhere(width: int, heads: int, wide: int, layers: int) -> Sizes:
    return Sizes(width, (heads,) * layers, (wide,) * layers)


LARGE = _everywhere(WIDTHS[-1], HEADS[-1], WIDE[-1], MOST_LAYERS)
SMALL = _everywhere(WIDTHS[0], HEADS[0], WIDE[0], 1)


def space() -> dict[str, Integer]:
    """What is searched: layers and numbers of a word, then heads and width of each layer."""
    found = {"layers": Integer(1, MOST_LAYERS), "width": Integer(WIDTHS[0], WIDTHS[-1], WIDTHS[0])}
    for n in range(1, MOST_LAYERS + 1):
        found[f"heads{n}"] = Integer(HEADS[0], HEADS[-1])
        found[f"wide{n}"] = Integer(WIDE[0], WIDE[-1], WIDE[0])
    return found


def sizes_of(point: Point) -> Sizes:
    """Those that a point names; it leaves aside what it says of layers that there are none."""
    numbers = {name: int(value or 0) for name, value in point.items()}
    layers = range(1, numbers["layers"] + 1)
    return Sizes(
        numbers["width"],
        tuple(numbers[f"heads{n}"] for n in layers),
        tuple(numbers[f"wide{n}"] for n in layers),
    )


def drawn(generator: random.Random) -> Sizes:
    """A random one."""
    layers = generator.randint(1, MOST_LAYERS)
    width = generator.choice(WIDTHS)
    return Sizes(
        width,
        tuple(generator.choices(HEADS, k=layers)),
        tuple(generator.choices(WIDE, k=layers)),
    )


def inherited(large: nn.Module, small: nn.Module) -> Weights:
    """The small network's parameters, as parts of the large one's."""
    whole = dict(large.named_parameters())
    return {
        name: whole[name][tuple(map(slice, part.shape))] for name, part in small.named_parameters()
    }


def heir(large: nn.Module, sizes: Sizes) -> Bert:
    """A network with parts of the large one's weights, as its own."""
    network = sizes.build()
    with torch.no_grad():
        for name, part in inherited(large, network).items():
            network.get_parameter(name).copy_(part)
    return network


def batches(ids: Tensor, targets: Tensor, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Random ones, each of questions of about the same length: most are a third of the longest."""
    lengths = (ids != PADDING).sum(1)
    while steps > 0:
        pool = torch.randperm(len(ids))[: POOL * BATCH]
        parts = pool[lengths[pool].argsort()].split(BATCH)
        for place in torch.randperm(len(parts))[:steps].tolist():
            words = trimmed(ids[parts[place]])
            hidden = (torch.rand(words.shape) < HIDDEN) & (words != PADDING)
            yield words.masked_fill(hidden, UNKNOWN_WORD), targets[parts[place]]
        steps -= len(parts)


def fit(
    network: nn.Module, ids: Tensor, targets: Tensor, steps: int, losses: Losses | None = None
) -> None:
    """Train the network for the probabilities `targets` of kinds, [N, CLASSES].

    Args:
        losses: whose gradients are added up; the network's own, unless others are given.
    """
    if steps < 1:
        return
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    network.train()
    for words, wanted in batches(ids, targets, steps):
        optimizer.zero_grad()
        for loss in losses(words, wanted) if losses else [_loss(network(words), wanted)]:
            loss.backward()
        optimizer.step()
        schedule.step()
    network.eval()


def fit_shared(large: nn.Module, ids: Tensor, targets: Tensor, steps: int) -> None:
    """Train all sizes at once: in each step the large one, the small one, and a random one.

    Known as the sandwich rule (Yu and Huang 2019).
    """
    generator = random.Random(0)

    def losses(words: Tensor, wanted: Tensor) -> Iterator[Tensor]:
        yield _loss(large(words), wanted)
        for sizes in (SMALL, drawn(generator)):
            with torch.device("meta"):  # its own weights are not needed
                small = sizes.build()
            yield _loss(functional_call(small, inherited(large, small), (words,)), wanted)

    fit(large, ids, targets, steps, losses)


def _loss(logits: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(logits, targets)


@torch.no_grad()
def logits_of(network: nn.Module, ids: Tensor) -> Tensor:
    return torch.cat([network(trimmed(part)) for part in ids.split(BATCH)])


def distilled(teacher: nn.Module, ids: Tensor, labels: Tensor) -> Tensor:
    """Targets that are partly what the teacher says, partly the labels' [N, CLASSES].

    Words are hidden from students alone: the teacher answers once, and sees all.
    """
    said = functional.softmax(logits_of(teacher, ids) / TEMPERATURE, 1)
    return SHARE * said + (1 - SHARE) * labels


def share_right(network: nn.Module, ids: Tensor, kinds: Tensor) -> float:
    """Share of the questions whose kind is found."""
    return float((logits_of(network, ids).argmax(1) == kinds).double().mean())
