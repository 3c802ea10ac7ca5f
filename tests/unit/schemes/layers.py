"""Random layers for the tests of schemes: odd shapes, groups, remainders, any density."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from niwaki.schemes import (
    NM,
    BlockColumnRow,
    BlockPunched,
    Channel,
    Dense,
    Pattern,
    Scheme,
    SchemeError,
    Unstructured,
    pattern_mask,
)
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
    """Schemes that hold any weights."""
    return st.one_of(
        st.sampled_from([Dense(), Channel(), Unstructured()]),
        st.builds(BlockPunched, st.integers(1, 20), st.integers(1, 10)),
        st.builds(BlockColumnRow, st.integers(1, 20), st.integers(1, 40)),
    )


@st.composite
def choosy_schemes(draw: st.DrawFn, layer: Layer) -> Scheme:
    """Schemes that hold the weights of `layer` among those that do not hold any weights."""
    _, channels, taps = layer.weights.shape
    filters, m = draw(st.integers(1, 20)), draw(st.integers(1, 10))
    counts = np.add.reduceat(layer.nonzero.astype(int), range(0, channels, m), axis=1)
    regular = NM(max(1, int(counts.max())), m)
    pattern = Pattern(draw(st.integers(1, taps)), draw(st.integers(1, 12)), filters)
    return draw(st.sampled_from([pattern, regular])) if fits(pattern, layer) else regular


def fits(scheme: Scheme, layer: Layer) -> bool:
    """Whether the scheme holds the layer's weights."""
    try:
        scheme.verify(layer.nonzero, layer.groups)
    except SchemeError:
        return False
    return True


@st.composite
def layers_and_schemes(draw: st.DrawFn) -> tuple[Layer, Scheme]:
    """Layers with any scheme that holds them."""
    layer = draw(layers())
    return layer, draw(st.one_of(schemes(), choosy_schemes(layer)))


@st.composite
def pattern_layers(draw: st.DrawFn) -> tuple[Layer, Pattern]:
    """Layers pruned by patterns, then with a few weights more and less; perhaps with zeros only."""
    layer = draw(layers())
    taps = layer.weights.shape[2]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scheme = Pattern(
        draw(st.integers(1, taps)), draw(st.integers(1, 9)), draw(st.sampled_from([1, 2, 4, 20]))
    )
    library = [rng.permutation(taps)[: scheme.taps].tolist() for _ in range(scheme.patterns)]
    values = rng.standard_normal(layer.weights.shape, dtype=np.float32)
    rate = draw(st.sampled_from([1, 1.5, 3.6]))
    exact = pattern_mask(values, library, rate, scheme.filters, layer.groups)
    fewer = exact & (rng.random(exact.shape) >= draw(st.sampled_from([0.02, 0.3])))
    other = fewer | (rng.random(exact.shape) < 0.01)
    # With few kernels or filters that share, a stray weight or two are too many.
    found = (Layer(values * mask, layer.groups) for mask in (other, fewer, exact))
    return next(each for each in found if fits(scheme, each)), scheme


def spread(kept: Bools, filters: int, channels: int, shape: tuple[int, int, int]) -> Bools:
    """A mask of `shape` whose blocks of filters x channels keep the taps of ``kept[i, j, T]``."""
    whole = np.repeat(np.repeat(kept, filters, axis=0), channels, axis=1)
    return whole[: shape[0], : shape[1]]
