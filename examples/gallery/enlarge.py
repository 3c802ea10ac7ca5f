"""The gallery's super-resolution: 640x360 pixels become 1280x720, as a video player needs it.

Dense and pruned networks learn the same: what photographs were before they were made smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from gallery.application import Application, Judged, Picture, Work
from gallery.enlarge_network import SCALE, enlarging_network
from gallery.pictures import SHOWN_SEEDS, beside, landscapes, made_by, photographs
from gallery.scenes import Image8, landscape
from gallery.training import DENSE, PRUNED, Budget, kept, trained
from image_pairs import Pair, Patches, pair_of
from image_quality import psnr, ssim
from in_turns import Answer
from PIL import Image
from search.super_resolution_training import loss, start_as_bicubic
from torch import Tensor, nn

from niwaki.pruning import PruningConfig

HEIGHT, WIDTH = 720, 1280
PATCH, BATCH, DRAWN = 24, 16, 8
BUDGET = Budget(epochs=10, steps=400, learning_rate=2e-3)  # of each of both networks
SCHEME, RATE = "block_punched", 8.0
DETAIL, CLOSE = 112, 2  # pixels of a detail in each direction, and how much larger they are shown
TESTS, SHOWN = ("Set5", "Set14"), 3  # sets, and photographs of the last one
CAPTION = "a detail: enlarged bicubically, by the dense network, by the pruned one, and true"


def prepare(work: Work) -> None:
    scenes = landscapes(work, DRAWN, HEIGHT // 2, WIDTH // 2)
    pairs = [pair_of(one, SCALE) for one in (*photographs(work, "T91"), *scenes)]
    patches = partial(Patches, pairs, PATCH, BATCH)
    network = start_as_bicubic(enlarging_network())
    dense = trained(work, DENSE, network, patches, loss, BUDGET)
    config = PruningConfig(SCHEME, RATE)
    trained(work, PRUNED, dense, patches, loss, BUDGET, config=config, method="gradual")


def make(work: Work, pruned: bool) -> tuple[nn.Module, Tensor]:
    network = kept(work, PRUNED if pruned else DENSE, enlarging_network())
    return network, torch.rand(1, 3, HEIGHT // SCALE, WIDTH // SCALE)


def judge(work: Work, dense: Answer, pruned: Answer) -> Judged:
    """On published tests by PyTorch, which takes any size; on a drawn scene as compiled."""
    networks = [in_pytorch(make(work, is_pruned)[0]) for is_pruned in (False, True)]
    rows = []
    sets = {name: photographs(work, name) for name in TESTS}
    for name, images in sets.items():
        if images:
            pairs = [pair_of(image, SCALE) for image in images[: work.share(len(images))]]
            rows += rows_of(name, pairs, networks)
    scene = pair_of(landscape(HEIGHT, WIDTH, SHOWN_SEEDS[0]), SCALE)
    rows += rows_of("a drawn scene of 1280x720", [scene], (dense, pruned))
    one, other = (made_by(answer, scene.small) for answer in (dense, pruned))
    rows.append(("SSIM to the dense network's scene", "1", f"{ssim(other, one, SCALE):.3f}"))
    shown = [pair_of(image, SCALE) for image in sets["Set14"][-work.share(SHOWN) :]]
    pictures = [closely(scene, (dense, pruned)), *(closely(pair, networks) for pair in shown)]
    return Judged(rows, [Picture(CAPTION, one) for one in pictures])


def in_pytorch(network: nn.Module) -> Answer:
    """The network as a function of images of any size."""

    def answer(value: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            output: np.ndarray = network(torch.from_numpy(value)).numpy()
        return output

    return answer


def rows_of(
    name: str, pairs: Sequence[Pair], answers: Sequence[Answer]
) -> list[tuple[str, str, str]]:
    """Means over images of what papers measure, of both networks and of bicubic enlarging."""
    made = [[bicubic(pair) for pair in pairs]]
    made += [[made_by(answer, pair.small) for pair in pairs] for answer in answers]
    rows = []
    for measure, unit, digits in ((psnr, " dB", 2), (ssim, "", 4)):
        plain, one, other = (
            np.mean(
                [measure(image, pair.large, SCALE) for image, pair in zip(of, pairs, strict=True)]
            )
            for of in made
        )
        title = f"{measure.__name__.upper()} on {name} (bicubic {plain:.{digits}f})"
        rows.append((title, f"{one:.{digits}f}{unit}", f"{other:.{digits}f}{unit}"))
    return rows


def bicubic(pair: Pair) -> Image8:
    """The small image, enlarged without a network."""
    height, width, _ = pair.large.shape
    return np.asarray(Image.fromarray(pair.small).resize((width, height), Image.Resampling.BICUBIC))


def closely(pair: Pair, answers: Sequence[Answer]) -> Image8:
    """The most detailed part of an image in all ways it is enlarged."""
    made = [bicubic(pair), *(made_by(answer, pair.small) for answer in answers), pair.large]
    top, left = busiest(pair.large)
    parts = [one[top : top + DETAIL, left : left + DETAIL] for one in made]
    return beside(*(part.repeat(CLOSE, 0).repeat(CLOSE, 1) for part in parts))


def busiest(image: Image8) -> tuple[int, int]:
    """Where the square with the most edges begins."""
    bright = image.mean(axis=2)
    edges = abs(np.diff(bright, axis=0))[:, 1:] + abs(np.diff(bright, axis=1))[1:]
    sums = np.pad(edges.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    size = DETAIL - 1
    inside = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    top, left = np.unravel_index(inside.argmax(), inside.shape)
    return int(top), int(left)


ENLARGE = Application(
    name="enlarge",
    title="Super-resolution to 720p",
    summary="Makes 1280x720 pixels of 640x360. Trained on drawn landscapes, and on photographs "
    "(T91) where they are at hand; then tested on Set5 and Set14, too, of which some are shown.",
    scheme=SCHEME,
    rate=RATE,
    prepare=prepare,
    make=make,
    judge=judge,
)
