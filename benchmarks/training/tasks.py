"""What is trained: a network, its data, and the budget of its dense training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import spoken_digits
import torch
from bert import Bert
from cifar_resnet import CifarResNet
from data_sets import (
    CIFAR_DEVIATION,
    CIFAR_MEAN,
    Batches,
    MovedImages,
    normalised,
    read_cifar10,
    read_fashion_mnist,
    read_questions,
    read_spoken_digits,
)
from fashion_mnist import DENSE_CHECKPOINT, DEVIATION, MEAN, FashionNet
from gru import DigitGRU
from small_2d import Small2D
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer
from vgg import half_vgg16

BATCH = 128


@dataclass(frozen=True)
class Split:
    """Batches to train on, and what is tested.

    Attributes:
        train: batches (inputs, labels).
        inputs: of the test, ``[N, ...]``.
        labels: int64 ``[N]``.
    """

    train: Any
    inputs: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Task:
    """A network and its data.

    Attributes:
        title: of its results.
        network: makes it, with initial weights that depend on PyTorch's seed.
        data: reads it from the folder of data sets; the seed may choose what is held out.
        epochs: of dense training, before pruning.
        rate: of learning in dense training, at its start.
        weights: of the dense network, trained elsewhere for so many epochs, the same for all seeds;
            None: trained here, for each seed.
        pruning_rate: of learning while pruning, at its start.
        optimizer: of parameters, at a rate.
        half: compute in bfloat16 while training.
        exclude: layers that no scheme prunes, beside the first and the last.
        include: layers that are pruned, also if they are the first or the last; None: all others.
        test: what accuracy is measured on, in words.
        licence: of the data.
    """

    title: str
    network: Callable[[], nn.Module]
    data: Callable[[Path, int], Split]
    epochs: int
    rate: float
    pruning_rate: float
    optimizer: Callable[[Iterable[nn.Parameter], float], Optimizer]
    half: bool
    exclude: tuple[str, ...]
    test: str
    licence: str
    weights: Path | None = None
    include: tuple[str, ...] | None = None


def sgd(parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
    """With Nesterov's momentum, and weight decay for all parameters."""
    return torch.optim.SGD(parameters, rate, momentum=0.9, nesterov=True, weight_decay=5e-4)


def adam(parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
    """AdamW."""
    return torch.optim.AdamW(parameters, rate, weight_decay=0.01)


def fashion(folder: Path, seed: int) -> Split:
    """All 60,000 and 10,000 images."""
    normalise = partial(normalised, means=(MEAN,), deviations=(DEVIATION,))
    train, test = (
        (torch.tensor(images)[:, None], torch.tensor(labels, dtype=torch.int64))
        for images, labels in (
            read_fashion_mnist(folder / "fashion-mnist", prefix) for prefix in ("train", "t10k")
        )
    )
    return Split(MovedImages(*train, BATCH, 2, normalise), normalise(test[0]), test[1])


def small_fashion(folder: Path, seed: int) -> Split:
    """The first 10,000 training images and all test images, at half their size."""
    full = fashion(folder, seed)
    train, test = (
        functional.avg_pool2d(x, 2) for x in (full.train.images[:10_000].float(), full.inputs)
    )
    images = full.train
    return Split(
        MovedImages(train.round().byte(), images.labels[:10_000], 100, 1, images.normalise),
        test,
        full.labels,
    )


def cifar(folder: Path, seed: int) -> Split:
    """All 50,000 and 10,000 images."""
    normalise = partial(normalised, means=CIFAR_MEAN, deviations=CIFAR_DEVIATION)
    train, test = (
        (torch.tensor(images), torch.tensor(labels, dtype=torch.int64))
        for images, labels in (read_cifar10(folder, split) for split in ("train", "test"))
    )
    return Split(MovedImages(*train, BATCH, 4, normalise), normalise(test[0]), test[1])


def digits(folder: Path, seed: int) -> Split:
    """Seed s holds out speakers 2s and 2s + 1: three seeds test all six speakers."""
    first = 2 * (seed % 3)
    data = read_spoken_digits(folder)
    inputs, labels, *test = spoken_digits.split(data, (first, first + 1))
    return Split(Batches(inputs, labels, 64, spoken_digits.augment), *test)


def questions(folder: Path, seed: int) -> Split:
    """5,452 questions and 500."""
    from questions import QuestionBatches, split

    words, kinds, *test = split(*(read_questions(folder, part) for part in ("train", "test")))
    return Split(QuestionBatches(words, kinds, 64), *test)


DIGITS = Task(
    title="Spoken digits, GRU with 256 states",
    network=DigitGRU,
    data=digits,
    epochs=24,
    rate=3e-3,
    pruning_rate=3e-3,
    optimizer=adam,
    half=True,
    exclude=(),
    include=("gru.*",),
    test="all clips of two speakers that training has not heard",
    licence="CC BY-SA 4.0, Free Spoken Digit Dataset",
)

CIFAR = Task(
    title="CIFAR-10, ResNet-20 with 0.27 million weights",
    network=CifarResNet,
    data=cifar,
    epochs=8,
    rate=0.1,
    pruning_rate=0.05,
    optimizer=sgd,
    half=True,
    exclude=("*.downsample.*",),
    test="all 10,000 test images",
    licence="none stated; Krizhevsky 2009",
)

TASKS = {
    "fashion_mnist": Task(
        title="Fashion-MNIST, residual network with 0.37 million weights",
        network=FashionNet,
        data=fashion,
        epochs=5,
        rate=0.1,
        pruning_rate=0.05,
        optimizer=sgd,
        half=True,
        exclude=("*.downsample.*",),
        test="all 10,000 test images",
        licence="MIT, Zalando SE",
        weights=DENSE_CHECKPOINT,
    ),
    "small_fashion": Task(
        title="Methods compared: Fashion-MNIST at 14x14, four convolutions",
        network=Small2D,
        data=small_fashion,
        epochs=10,
        rate=0.1,
        pruning_rate=0.05,
        optimizer=sgd,
        half=False,
        exclude=(),
        test="all 10,000 test images, trained on 10,000",
        licence="MIT, Zalando SE",
    ),
    "cifar10": CIFAR,
    # Layers of 256 filters for ten classes: weights to spare, as papers on pruning have them.
    "half_vgg16": replace(
        CIFAR,
        title="CIFAR-10, VGG-16 with batch-norm and half the filters, 3.7 million weights",
        network=half_vgg16,
        rate=1e-3,
        pruning_rate=5e-4,
        optimizer=adam,
        exclude=(),
    ),
    "spoken_digits": DIGITS,
    # Wide enough that a tenth of its weights can do what all did.
    "spoken_digits_wide": replace(
        DIGITS,
        title="Spoken digits, GRU with 512 states",
        network=partial(DigitGRU, hidden=512),
    ),
    "questions": Task(
        title="Questions by their answers (TREC), BERT of two layers with 128 numbers a word",
        network=Bert,
        data=questions,
        epochs=6,
        rate=1e-3,
        pruning_rate=1e-3,
        optimizer=adam,
        half=False,
        exclude=(),
        include=("layers.*",),
        test="all 500 test questions",
        licence="research only; Li and Roth 2002",
    ),
}
