"""Random layers for the tests of schemes: odd shapes, groups, remainders, any density."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from niwaki.schemes import BlockPunched, Channel, Dense, Scheme, Unstructured
from niwaki.schemes.base import Bools, Weights


@dataclass(frozen=True)
class Layer:
    """Weights ``[F, C, T]`` and the number of their groups."""

    weights: Weights
    groups: int

    @property
    def nonzero(self) -> Bools:
        nonzero: Bools = self.weights != 0
        return nonzero


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    groups = draw(st.integers(1, 3))
    filters = groups * draw(st.integers(1, 19))
    channels = draw(st.integers(1, 9))
    taps = draw(st.sampled_from([1, 2, 3, 9]))
    density = draw(st.sampled_from([0.0, 0.05, 0.3, 0.8, 1.0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weights = rng.standard_normal((filters, channels, taps), dtype=np.float32)
    weights[rng.random(weights.shape) >= density] = 0
    weights[rng.random(filters) < draw(st.sampled_from([0.0, 0.5]))] = 0
    return Layer(weights, groups)


def schemes() -> st.SearchStrategy[Scheme]:
    blocks = st.builds(BlockPunched, st.integers(1, 20), st.integers(1, 10))
    return st.one_of(st.sampled_from([Dense(), Channel(), Unstructured()]), blocks)


def spread(kept: Bools, filters: int, channels: int, shape: tuple[int, int, int]) -> Bools:
    """A mask of `shape` whose blocks of filters x channels keep the taps of ``kept[i, j, T]``."""
    whole = np.repeat(np.repeat(kept, filters, axis=0), channels, axis=1)
    return whole[: shape[0], : shape[1]]
