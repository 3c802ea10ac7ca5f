"""What the compiler's cost model says to a layer with other zeros, in other widths.

    conv 64x64x3x3 at 56x56, block_punched 8x   -->   gather_gemm, 263 us

Weights are drawn at random and pruned to the scheme, since what they are hardly matters to time;
then their scheme is detected and the best kernel is sought, as when a network is compiled. That
takes a tenth of a second for a large layer, so answers are kept.
"""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki import schemes
from niwaki.layer_costs import DENSE, Setting
from niwaki.passes.families import Asked, candidates
from niwaki.passes.layer_kinds import kind_of
from niwaki.passes.layers import groups_of, is_depthwise
from niwaki.pruning import parse_scheme
from niwaki.schemes import Dense, SchemeError
from niwaki.schemes.base import Bools
from niwaki.targets import Target
from niwaki.tuning.signature import geometry, signature_with

from .forms import in_widths
from .observation import kind_name


@dataclass(frozen=True)
class Estimate:
    """What the fastest kernel of a layer takes.

    Attributes:
        seconds: on one core; infinite where no kernel can be.
        kind: its `kind_name`.
        layer, candidate: what the tuning database calls the layer and the kernel.
    """

    seconds: float
    kind: str = ""
    layer: str = ""
    candidate: str = ""


IMPOSSIBLE = Estimate(math.inf)


def estimate(op: Any, setting: Setting, target: Target) -> Estimate:
    """The fastest kernel of a layer that has layouts.

    Raises:
        NiwakiError: no such scheme, or widths that the layer cannot have.
    """
    # Another network may be priced meanwhile, in a context of its own.
    with op.context, in_widths(op, setting) as layer:
        kind = kind_of(layer)
        assert kind is not None
        try:
            asked = zeros_of(layer, setting, kind.prices(target.prices))
        except SchemeError:
            return IMPOSSIBLE
        found = candidates(layer, target, asked=asked)
        if not found:
            return IMPOSSIBLE
        best = min(found, key=lambda candidate: candidate.seconds)
        family = best.kernel.attr_name.rpartition(".")[2]
        signature = signature_with(layer, asked.weights, asked.scheme)
        return Estimate(best.seconds, kind_name(family, best.scheme.name), signature, str(best))


def zeros_of(op: Any, setting: Setting, prices: schemes.CostModel) -> Asked:
    """Random weights pruned to a setting, and the scheme that detection finds in them.

    Raises:
        SchemeError: the scheme does not fit such weights, or not at this rate.
    """
    filters, channels, *kernel = op.weight.type.shape
    shape, groups = (filters, channels, math.prod(kernel)), groups_of(op)
    weights = random_weights(shape)
    if setting.scheme == DENSE or setting.rate == 1:
        return Asked(weights, Dense())
    mask = pruned(weights, setting, groups)
    weights = weights * mask
    if is_depthwise(op):
        return Asked(weights, Dense())
    return Asked(weights, schemes.detect(mask, groups, model=prices).scheme)


def pruned(weights: npt.NDArray[np.float32], setting: Setting, groups: int) -> Bools:
    """What stays of ``weights[F, C, T]``.

    Raises:
        SchemeError: the scheme does not fit, or not at this rate.
    """
    scheme = parse_scheme(setting.scheme)
    scheme.check(weights.shape, groups, setting.rate)
    return scheme.fit(weights).mask(weights, setting.rate, groups)


def drawn_for(layer: str, op: Any, setting: Setting) -> npt.NDArray[np.float32]:
    """Weights ``[F, C, T]`` of the layer called so, zero where the setting keeps none.

    Random ones: of trained weights, with batch-norms folded into them, a part would be large for
    reasons that pruning does not see.

    Raises:
        SchemeError: the scheme does not fit, or not at this rate.
    """
    filters, channels, *kernel = op.weight.type.shape
    shape = filters, channels, math.prod(kernel)
    weights = random_weights(shape, zlib.crc32(layer.encode()))
    kept = weights[: setting.filters, : setting.channels]
    if setting.scheme != DENSE and setting.rate > 1:
        kept = kept * pruned(kept, setting, groups_of(op))
    array = np.zeros_like(weights)
    array[: kept.shape[0], : kept.shape[1]] = kept
    return array


def form_key(op: Any) -> str:
    """Equal for layers that cost the same in each setting: a digest of all but the weights."""
    return hashlib.sha256(json.dumps(geometry(op), sort_keys=True).encode()).hexdigest()[:32]


def random_weights(shape: tuple[int, int, int], seed: int = 0) -> npt.NDArray[np.float32]:
    """The same for the same shape and seed, none of them zero."""
    drawn = np.random.default_rng(seed).standard_normal(shape, np.float32)
    return np.where(drawn == 0, np.float32(1), drawn)
