"""The gallery's colourisation: grey photographs and drawn scenes get colours.

Where many colours are possible a network that is right on average says grey, so vivid colours count
more. The pruned network learns from the dense one and from true colours.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from data_sets import has_cifar10, read_cifar10
from gallery.application import Application, Judged, Picture, Work
from gallery.colour_network import ColourNetwork
from gallery.colour_space import COLOUR as COLOUR_SCALE
from gallery.colour_space import to_lab, to_rgb
from gallery.pictures import (
    SHOWN_SEEDS,
    Crops,
    at_least,
    beside,
    fitted,
    landscapes,
    photographs,
    told_by,
)
from gallery.scenes import Image8, landscape
from gallery.training import DENSE, PRUNED, Budget, kept, trained
from image_pairs import as_image, as_tensor
from image_quality import ssim
from in_turns import Answer
from torch import Tensor, nn
from torch.nn import functional

from niwaki.pruning import PruningConfig

SIZE = 256
# Networks that learned on squares of 128 pixels painted rainbows into large skies.
CROP, BATCH = 192, 2
DRAWN, THINGS = 48, 96  # landscapes, and images of CIFAR-10, beside 91 photographs
OFTEN = 4  # times a landscape is in the place of a photograph: there are few of them
DENSE_BUDGET, PRUNED_BUDGET = Budget(15, 200, 2e-3), Budget(10, 150, 1e-3)
SCHEME, RATE = "block_punched", 8.0
GREY = 3.0  # error of colours of a photograph that is grey
VIVID = 1.0  # how much more the most vivid colours count than grey
TESTED = 6  # photographs of Set14


def prepare(work: Work) -> None:
    pictures = at_least(_pictures(work), CROP)
    crops = partial(Crops, pictures, CROP, BATCH, to_lab)
    dense = trained(work, DENSE, ColourNetwork(), crops, colour_loss, DENSE_BUDGET)
    taught = told_by(dense, lambda image: to_lab(image)[0])
    crops = partial(Crops, pictures, CROP, BATCH, taught)
    config = PruningConfig(SCHEME, RATE)
    trained(work, PRUNED, dense, crops, colour_loss, PRUNED_BUDGET, config=config, method="gradual")


def colour_loss(colours: Tensor, wanted: Tensor) -> Tensor:
    """Of colours a and b ``[N, 2, H, W]``."""
    weights = 1 + VIVID * wanted.norm(dim=1, keepdim=True)
    off = functional.smooth_l1_loss(colours.float(), wanted, beta=0.1, reduction="none")
    return (weights * off).mean()


def make(work: Work, pruned: bool) -> tuple[nn.Module, Tensor]:
    network = kept(work, PRUNED if pruned else DENSE, ColourNetwork())
    return network, to_lab(as_tensor(landscape(SIZE, SIZE, SHOWN_SEEDS[0])))[0]


def judge(work: Work, dense: Answer, pruned: Answer) -> Judged:
    scenes = [landscape(SIZE, SIZE, seed) for seed in SHOWN_SEEDS]
    tested = [one for one in photographs(work, "Set14") if is_colourful(one)]
    true = [*scenes, *(fitted(one, SIZE, SIZE) for one in tested[: work.share(TESTED)])]
    made = [(coloured(dense, one), coloured(pruned, one)) for one in true]
    alike = [ssim_of_colours(other, one) for one, other in made]
    grey, off, pruned_off = (
        f"{np.mean([colour_error(one, right) for one, right in zip(of, true, strict=True)]):.1f}"
        for of in (map(grey_of, true), *zip(*made, strict=True))
    )
    rows = [
        ("SSIM to the dense network's pictures", "1", f"{np.mean(alike):.3f}"),
        ("the least of all pictures", "1", f"{np.min(alike):.3f}"),
        (f"error of colours (of grey pictures {grey})", off, pruned_off),
    ]
    pictures = [
        Picture(
            "grey, coloured by the dense network, by the pruned one, and true",
            beside(grey_of(one), *both, one),
        )
        for one, both in zip(true, made, strict=True)
    ]
    return Judged(rows, pictures)


def coloured(answer: Answer, picture: Image8) -> Image8:
    """The picture with the colours that a network guesses from its lightness."""
    lightness, _ = to_lab(as_tensor(picture))
    return as_image(to_rgb(lightness, torch.from_numpy(answer(lightness.numpy()))))


def grey_of(picture: Image8) -> Image8:
    lightness, colours = to_lab(as_tensor(picture))
    return as_image(to_rgb(lightness, torch.zeros_like(colours)))


def colour_error(picture: Image8, true: Image8) -> float:
    """Mean distance of colours in Lab's units; lightness is left out."""
    (_, one), (_, other) = to_lab(as_tensor(picture)), to_lab(as_tensor(true))
    return COLOUR_SCALE * float((one - other).norm(dim=1).mean())


def is_colourful(picture: Image8) -> bool:
    """Not a grey photograph, of which Set14 has some."""
    return colour_error(picture, grey_of(picture)) > GREY


def ssim_of_colours(picture: Image8, true: Image8) -> float:
    """Mean SSIM of red, green and blue: that of brightness would see nothing of colours."""
    parts = [
        ssim(np.repeat(picture[..., n : n + 1], 3, 2), np.repeat(true[..., n : n + 1], 3, 2), 0)
        for n in range(3)
    ]
    return float(np.mean(parts))


def _pictures(work: Work) -> list[Image8]:
    """Photographs, landscapes and things of CIFAR-10, of what there is."""
    found = [*photographs(work, "T91"), *OFTEN * landscapes(work, DRAWN, SIZE, SIZE)]
    if work.data is not None and has_cifar10(work.data):
        things, _ = read_cifar10(work.data, "train")
        found += list(things[: work.share(THINGS)].transpose(0, 2, 3, 1))
    return found


COLOUR = Application(
    name="colour",
    title="Colourisation",
    summary="Guesses the colours of a grey picture of 256x256 pixels. Trained on drawn "
    "landscapes, and on photographs (T91, CIFAR-10) where they are at hand; those shown are of "
    "Set14. The pruned network learned from the dense one.",
    scheme=SCHEME,
    rate=RATE,
    prepare=prepare,
    make=make,
    judge=judge,
)
