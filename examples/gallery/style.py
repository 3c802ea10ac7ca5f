"""The gallery's style transfer: pictures are painted in the manner of one that strokes.py draws.

The dense network learns by perceptual losses, the pruned one to paint what the dense one does.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from gallery.application import Application, Judged, Picture, Work
from gallery.perception import PerceptualLoss, feature_network
from gallery.pictures import (
    SHOWN_SEEDS,
    Crops,
    at_least,
    beside,
    fitted,
    landscapes,
    made_by,
    photographs,
    told_by,
)
from gallery.scenes import landscape
from gallery.strokes import painting
from gallery.style_network import StyleNetwork
from gallery.training import DENSE, PRUNED, Budget, kept, trained
from image_pairs import as_tensor
from image_quality import ssim
from in_turns import Answer
from torch import Tensor, nn

from niwaki.pruning import PruningConfig

SIZE, CROP, BATCH, DRAWN = 256, 96, 2, 12
DENSE_BUDGET, PRUNED_BUDGET = Budget(12, 100, 1.5e-3), Budget(8, 100, 1e-3)
SCHEME, RATE = "block_punched", 8.0
TESTED = 6  # photographs of Set14, and landscapes


def prepare(work: Work) -> None:
    loss = PerceptualLoss(feature_network(work), as_tensor(painting(SIZE)))
    contents = [*photographs(work, "T91"), *landscapes(work, DRAWN, SIZE, SIZE)]
    contents = at_least(contents, CROP)
    crops = partial(Crops, contents, CROP, BATCH, lambda image: (image, image))
    dense = trained(work, DENSE, StyleNetwork(), crops, loss, DENSE_BUDGET)
    crops = partial(Crops, contents, CROP, BATCH, told_by(dense, lambda image: image))
    config = PruningConfig(SCHEME, RATE)
    trained(
        work, PRUNED, dense, crops, likeness_loss, PRUNED_BUDGET, config=config, method="gradual"
    )


def likeness_loss(images: Tensor, wanted: Tensor) -> Tensor:
    """Differences of pixels and, which the eye sees as much, of neighbours."""
    off = images.float() - wanted
    return off.abs().mean() + off.diff(dim=2).abs().mean() + off.diff(dim=3).abs().mean()


def make(work: Work, pruned: bool) -> tuple[nn.Module, Tensor]:
    network = kept(work, PRUNED if pruned else DENSE, StyleNetwork())
    return network, as_tensor(landscape(SIZE, SIZE, SHOWN_SEEDS[0]))


def judge(work: Work, dense: Answer, pruned: Answer) -> Judged:
    tested = photographs(work, "Set14")[: work.share(TESTED)]
    scenes = [landscape(SIZE, SIZE, seed) for seed in SHOWN_SEEDS]
    contents = [*scenes, *(fitted(picture, SIZE, SIZE) for picture in tested)]
    painted = [(made_by(dense, one), made_by(pruned, one)) for one in contents]
    alike = [ssim(other, one, 0) for one, other in painted]
    rows = [
        ("SSIM to the dense network's paintings", "1", f"{np.mean(alike):.3f}"),
        ("the least of all paintings", "1", f"{np.min(alike):.3f}"),
    ]
    pictures = [
        Picture("what is painted, by the dense network, by the pruned one", beside(one, *both))
        for one, both in zip(contents, painted, strict=True)
    ]
    manner = Picture("the painting whose manner was learned, drawn by a program", painting(SIZE))
    return Judged(rows, [*pictures, manner])


STYLE = Application(
    name="style",
    title="Style transfer",
    summary="Paints a picture of 256x256 pixels in the manner of another, which a program drew. "
    "Trained on drawn landscapes, and on photographs (T91) where they are at hand, by the "
    "features of a network that learned CIFAR-10 or drawn things; photographs shown are of Set14. "
    "The pruned network learned from the dense one.",
    scheme=SCHEME,
    rate=RATE,
    prepare=prepare,
    make=make,
    judge=judge,
)
