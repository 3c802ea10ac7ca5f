"""Masks of `torch.nn.utils.prune`: what was removed is 0 in the weight that the network has.

fc.weight_orig, fc.weight_mask                     -->   fc.weight
gru.weight_hh_l0_orig, gru.weight_hh_l0_mask       -->   gru.weight_hh_l0
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from niwaki.errors import NiwakiError

from .contents import Weights

ORIGINAL, MASK = "_orig", "_mask"


def multiply_masks(path: Path, weights: Weights) -> None:
    """Replace each weight and its mask by their product.

    Raises:
        NiwakiError: a mask has another shape than its weight.
    """
    for name in [name for name in weights if name.endswith(ORIGINAL)]:
        stem = name.removesuffix(ORIGINAL)
        if stem + MASK not in weights:
            continue
        weight, mask = weights.pop(name), weights.pop(stem + MASK)
        if weight.shape != mask.shape:
            raise NiwakiError(
                f"{path}: {name} is {list(weight.shape)} and {stem + MASK} {list(mask.shape)}: "
                "they must be equally large"
            )
        # Not a product: of a removed weight that is infinite it would be NaN.
        weights[stem] = np.where(mask != 0, weight, weight.dtype.type(0))
