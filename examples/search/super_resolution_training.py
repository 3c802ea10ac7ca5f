"""How networks of super-resolution are trained: shared weights, and others by `niwaki.prune`.

Convolutions compute in bf16, which is twice as fast where the processor has it. Weights are floats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from bicubic import cubic
from image_pairs import Pair, Patches, as_image, as_tensor
from image_quality import psnr, ssim
from search.super_resolution_networks import LARGE, SCALE, Sizes
from torch import Tensor, nn
from torch.func import functional_call
from wdsr import WDSR

import niwaki
from niwaki.layer_costs import DENSE
from niwaki.pruning import parse_scheme

PATCH, BATCH, RATE, BETAS = 24, 8, 5e-3, (0.9, 0.99)
AT_ONCE = 2  # networks that a step of shared weights trains
EPOCH = 500  # steps between checkpoints
QUIET = 0.1  # how loud what is added to the bicubic image is at first


def loss(image: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute error, which gives sharper images than squares."""
    return (image.float() - wanted).abs().mean()


def in_bf16() -> torch.autocast:
    """Around many steps: rounded weights must not be kept from one to the next."""
    return torch.autocast("cpu", torch.bfloat16, cache_enabled=False)


@torch.no_grad()
def start_as_bicubic(network: WDSR) -> WDSR:
    """The 5x5 convolution enlarges as a cubic does, so that blocks learn what that lacks."""
    places = np.arange(-2, 3)
    offsets = (np.arange(SCALE) + 0.5) / SCALE - 0.5
    rows = torch.from_numpy(cubic(places - offsets[:, None])).float()
    kernels = torch.einsum("iy,jx->ijyx", rows, rows).flatten(0, 1)
    network.skip.weight.zero_()
    for colour in range(3):
        network.skip.weight[colour * SCALE**2 : (colour + 1) * SCALE**2, colour] = kernels
    network.skip.bias.zero_()
    network.tail.weight.mul_(QUIET)
    network.tail.bias.zero_()
    return network


def fit(
    network: nn.Module, sizes: Sizes, pairs: Sequence[Pair], steps: int, *,
    rate: float = RATE, method: str = "magnitude", checkpoint: Path | None = None,
) -> nn.Module:  # fmt: skip
    """A copy of the network, pruned as `sizes` say, and trained."""
    epochs = max(1, steps // EPOCH)
    with in_bf16():
        fitted = niwaki.prune(
            network.to(memory_format=torch.channels_last),
            Patches(pairs, PATCH, BATCH, steps // epochs),
            config=sizes.pruning(),
            method=method,
            epochs=epochs,
            loss=loss,
            optimizer=lambda parameters: torch.optim.RAdam(parameters, rate, BETAS),
            checkpoint=checkpoint,
            progress=False,
        )
    return fitted.eval()


def inherited(large: nn.Module, small: nn.Module) -> dict[str, Tensor]:
    """The small network's parameters, as parts of the large one's."""
    whole = dict(large.named_parameters())
    return {
        name: whole[name][tuple(map(slice, part.shape))] for name, part in small.named_parameters()
    }


@torch.no_grad()
def heir(large: nn.Module, sizes: Sizes) -> WDSR:
    """A network with parts of the large one's weights, as its own."""
    network = sizes.build()
    for name, part in inherited(large, network).items():
        network.get_parameter(name).copy_(part)
    return network


def pruned(weights: Mapping[str, Tensor], sizes: Sizes) -> dict[str, Tensor]:
    """The weights with zeros where they are smallest; gradients reach the others."""
    found = dict(weights)
    for n, block in enumerate(sizes.blocks):
        if block.scheme == DENSE:
            continue
        for name in (f"body.{n}.widen.weight", f"body.{n}.narrow.weight"):
            plain = weights[name].detach().flatten(2).numpy()
            mask = torch.from_numpy(parse_scheme(block.scheme).mask(plain, block.rate))
            found[name] = weights[name] * mask.reshape(weights[name].shape)
    return found


def fit_shared(pairs: Sequence[Pair], steps: int, draw: Callable[[], Sizes]) -> WDSR:
    """Weights for all sizes: each step is of some that are drawn, pruned as they say."""
    large = start_as_bicubic(LARGE.build()).to(memory_format=torch.channels_last)
    optimizer = torch.optim.RAdam(large.parameters(), RATE, BETAS)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for small, wanted in Patches(pairs, PATCH, BATCH, steps):
        optimizer.zero_grad()
        for sizes in (draw() for _ in range(AT_ONCE)):
            with torch.device("meta"):  # its own weights are not needed
                network = sizes.build()
            with in_bf16():
                weights = pruned(inherited(large, network), sizes)
                image = functional_call(network, weights, (small,))
            loss(image, wanted).backward()
        optimizer.step()
        schedule.step()
    return large.eval()


@torch.no_grad()
def quality(network: nn.Module, pairs: Sequence[Pair]) -> tuple[float, float]:
    """Means of PSNR and SSIM over the images."""
    scores = []
    for pair in pairs:
        image = as_image(network(as_tensor(pair.small)))
        scores.append((psnr(image, pair.large, SCALE), ssim(image, pair.large, SCALE)))
    return mean(one for one, _ in scores), mean(other for _, other in scores)
