"""Random windows and layouts that are just wide enough for them, or wider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from niwaki.dialects import Planar, Reach, displacements, phase_sizes, window_sizes
from niwaki.dialects.planar import window_reach

Ints = tuple[int, ...]


@dataclass(frozen=True)
class Window:
    """A window that slides over an activation, with padding before and after each dimension."""

    spatial: Ints
    kernel: Ints
    strides: Ints
    dilations: Ints
    before: Ints
    after: Ints

    @property
    def rank(self) -> int:
        return len(self.spatial)

    @property
    def outputs(self) -> Ints:
        padding = (*self.before, *self.after)
        sizes = window_sizes(self.spatial, self.kernel, self.strides, self.dilations, padding)
        return tuple(sizes)

    @property
    def taps(self) -> list[Ints]:
        return displacements(self.kernel, self.dilations, self.before)

    def phases(self, split: bool) -> Ints:
        """Phases per dimension of the activation that is read: a convolution's are its strides."""
        return self.strides if split else (1,) * self.rank

    def steps(self, split: bool) -> Ints:
        """Pixels of a phase plane from one window to the next."""
        return (1,) * self.rank if split else self.strides

    def reach(self, split: bool) -> Reach:
        sizes = phase_sizes(self.spatial, self.phases(split))
        return window_reach(self.taps, sizes, self.outputs, self.steps(split), self.phases(split))


@st.composite
def windows(draw: st.DrawFn, most: int = 7) -> Window:
    """Any rank, odd sizes, uneven padding that may exceed the kernel."""
    rank = draw(st.integers(1, 3))

    def ints(low: int, high: int) -> Ints:
        return tuple(draw(st.integers(low, high)) for _ in range(rank))

    kernel, dilations = ints(1, 3), ints(1, 3)
    before, after = ints(0, 3), ints(0, 3)
    covered = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    least = [max(1, c - b - a) for c, b, a in zip(covered, before, after, strict=True)]
    spatial = tuple(draw(st.integers(low, low + most)) for low in least)
    return Window(spatial, kernel, ints(1, 3), dilations, before, after)


@st.composite
def layouts(draw: st.DrawFn, window: Window, split: bool) -> Planar:
    """A layout of the window's input that satisfies the checks, with random room to spare."""
    reach, strides = window.reach(split), window.phases(split)
    sizes = phase_sizes(window.spatial, strides)
    # A convolution writes the pitches that it reads.
    written = window.outputs if split else sizes
    pitches = [1]
    for axis in range(window.rank - 1, 0, -1):
        halo = max(reach.before[axis], reach.after[axis])
        row = max(sizes[axis] + halo, written[axis]) + draw(st.integers(0, 2))
        pitches.insert(0, pitches[0] * row)
    unused = frozenset(range(int(np.prod(strides)))) - reach.phases
    kept = draw(st.sets(st.sampled_from(sorted(unused)))) if unused else set()
    phases = tuple(sorted(reach.phases | kept))
    bare = Planar(sizes, tuple(pitches), strides, phases, 0, 0, 0)
    before, after = bare.pixel(reach.before), bare.pixel(reach.after)
    lead = before + draw(st.integers(0, 3))
    plane = bare.extent + max(before, after) + draw(st.integers(0, 3))
    return Planar(sizes, tuple(pitches), strides, phases, lead, plane, draw(st.integers(0, 5)))


def random_integers(rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Small integers as floats: sums are exact in any order."""
    return rng.integers(-4, 5, shape).astype(np.float32)
