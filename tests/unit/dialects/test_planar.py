"""The planar layout, proved in numpy: what is read at constant distances is the convolution.

Activations hold small integers, so that results are equal bit for bit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from windows import Window, layouts, random_integers, windows

from niwaki.dialects import Planar, round_up
from niwaki.dialects.planar import Reach, pack, phase_number, window_reach

Floats = npt.NDArray[np.float32]
seeds = st.integers(0, 2**32 - 1)


def read_at(flat: Floats, positions: npt.NDArray[Any]) -> Floats:
    """Elements of the buffer, which all exist."""
    assert positions.min() >= 0
    assert positions.max() < flat.size
    return flat[positions]


def pixel_offsets(layout: Planar, sizes: tuple[int, ...], steps: tuple[int, ...]) -> Any:
    """Offset in a plane of the pixel under each result of `sizes`."""
    scaled = (index * step for index, step in zip(np.indices(sizes), steps, strict=True))
    return sum(index * pitch for index, pitch in zip(scaled, layout.pitches, strict=True))


def planes_of(flat: Floats, layout: Planar, image: int, channel: int, channels: int) -> int:
    """Where the phase planes of a channel start."""
    return layout.lead + (image * channels + channel) * len(layout.phases) * layout.plane


@given(data=st.data(), window=windows(), images=st.integers(1, 2), seed=seeds)
def test_convolution_reads_at_constant_distances(
    data: st.DataObject, window: Window, images: int, seed: int
) -> None:
    layout = data.draw(layouts(window, split=True))
    assert layout.problem() == ""
    assert layout.halo_problem(window.reach(split=True)) == ""
    rng, channels, filters = np.random.default_rng(seed), 2, 2
    x = random_integers(rng, (images, channels, *window.spatial))
    w = random_integers(rng, (filters, channels, len(window.taps)))
    flat = pack(x, layout)

    result = np.zeros((images, filters, *window.outputs), np.float32)
    pixels = pixel_offsets(layout, window.outputs, window.steps(split=True))
    for image, filter_, channel in np.ndindex(images, filters, channels):
        start = planes_of(flat, layout, image, channel, channels)
        for tap, displacement in enumerate(window.taps):
            phase, distance = layout.tap_offset(displacement)
            taken = read_at(flat, start + phase * layout.plane + pixels + distance)
            result[image, filter_] += w[filter_, channel, tap] * taken

    np.testing.assert_array_equal(result, torch_convolution(window, x, w))


def torch_convolution(window: Window, x: Floats, w: Floats) -> Floats:
    sides = zip(reversed(window.before), reversed(window.after), strict=True)
    padded = torch.nn.functional.pad(torch.from_numpy(x), [side for pair in sides for side in pair])
    weight = torch.from_numpy(w.reshape(*w.shape[:2], *window.kernel))
    convolution = (torch.conv1d, torch.conv2d, torch.conv3d)[window.rank - 1]
    result = convolution(padded, weight, stride=window.strides, dilation=window.dilations)
    return np.asarray(result.numpy())


@given(data=st.data(), window=windows(), seed=seeds)
def test_pooling_reads_whole_planes(data: st.DataObject, window: Window, seed: int) -> None:
    """Windows at every s-th pixel of an unsplit activation, with the halo as their padding."""
    layout = data.draw(layouts(window, split=False))
    assert layout.problem() == ""
    assert layout.halo_problem(window.reach(split=False)) == ""
    x = random_integers(np.random.default_rng(seed), (1, 2, *window.spatial))
    flat = pack(x, layout)

    result = np.zeros((1, 2, *window.outputs), np.float32)
    pixels = pixel_offsets(layout, window.outputs, window.steps(split=False))
    for channel in range(2):
        start = planes_of(flat, layout, 0, channel, 2)
        for displacement in window.taps:
            result[0, channel] += read_at(flat, start + pixels + layout.pixel(displacement))

    ones = np.eye(2, dtype=np.float32)[:, :, None].repeat(len(window.taps), axis=2)
    np.testing.assert_array_equal(result, torch_convolution(window, x, ones))


@given(data=st.data(), window=windows(), split=st.booleans())
def test_halo_may_not_be_smaller(data: st.DataObject, window: Window, split: bool) -> None:
    """Each number that the checks accept is needed: one less and a message names it."""
    reach = window.reach(split)
    layout = data.draw(layouts(window, split))
    before, after = layout.pixel(reach.before), layout.pixel(reach.after)
    if before:
        problem = replace(layout, lead=before - 1).halo_problem(reach)
        assert problem == f"has a lead of {before - 1} elements, too small for {before} of halo"
    if after or before:
        plane = layout.extent + max(before, after) - 1
        problem = replace(layout, plane=plane).halo_problem(reach)
        assert problem.startswith(f"has planes of {plane} elements, too small for an extent of")
    for axis in range(1, window.rank):
        halo = max(reach.before[axis], reach.after[axis])
        if halo:
            pitches = list(layout.pitches)
            pitches[axis - 1] = pitches[axis] * (layout.sizes[axis] + halo) - 1
            problem = replace(layout, pitches=tuple(pitches)).halo_problem(reach)
            assert problem.startswith(f"has a pitch of {pitches[axis - 1]}, too small for")


@given(data=st.data(), window=windows(), split=st.booleans(), images=st.integers(1, 2))
def test_packed_buffer(data: st.DataObject, window: Window, split: bool, images: int) -> None:
    """Every pixel is there once; lead and halo are zero, slack is not a number."""
    layout = data.draw(layouts(window, split))
    numbers = np.arange(1, 1 + images * 2 * np.prod(window.spatial), dtype=np.float32)
    x = numbers.reshape(images, 2, *window.spatial)
    flat = pack(x, layout)
    assert flat.size == layout.elements(images, 2)
    assert flat.size == layout.lead + layout.planes(images, 2) * layout.plane + layout.slack
    used, slack = flat[: flat.size - layout.slack], flat[flat.size - layout.slack :]
    assert np.isnan(slack).all()
    found = np.sort(used[used != 0])
    places = np.indices(window.spatial).reshape(window.rank, -1).T.tolist()
    stored = [phase_number(place, layout.strides) in layout.phases for place in places]
    kept = x.reshape(images, 2, -1)[:, :, stored]
    np.testing.assert_array_equal(found, kept.ravel())


@given(data=st.data(), window=windows(), split=st.booleans(), extra=st.integers(0, 40))
def test_mask_marks_pixels(data: st.DataObject, window: Window, split: bool, extra: int) -> None:
    layout = data.draw(layouts(window, split))
    mask = layout.mask(layout.extent + extra)
    pixels = {layout.pixel(position) for position in np.ndindex(*layout.sizes)}
    assert set(np.flatnonzero(mask).tolist()) == pixels
    assert mask.dtype == np.int8


@given(value=st.integers(0, 10**6), multiple=st.integers(1, 1000))
def test_round_up(value: int, multiple: int) -> None:
    rounded = round_up(value, multiple)
    assert rounded % multiple == 0
    assert value <= rounded < value + multiple


def test_reach_of_a_strided_window() -> None:
    """3 x 3 with a stride of 2 and padding of 1 on 8 x 8: rows -1 to 7, of which -1 is odd."""
    taps = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)]
    split = window_reach(taps, (4, 4), (4, 4), (1, 1), (2, 2))
    assert split == Reach((1, 1), (0, 0), frozenset({0, 1, 2, 3}))
    whole = window_reach(taps, (8, 8), (4, 4), (2, 2), (1, 1))
    assert whole == Reach((1, 1), (0, 0), frozenset({0}))


GOOD = Planar((3, 4), (6, 1), (1, 1), (0,), 8, 24, 16)


def test_no_problem() -> None:
    assert GOOD.problem() == ""
    assert not GOOD.split
    assert replace(GOOD, strides=(2, 1), phases=(0, 1)).split


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sizes": ()}, "needs pitches and strides as sizes, got 2 and 2 for 0"),
        ({"pitches": (1,)}, "needs pitches and strides as sizes, got 1 and 2 for 2"),
        ({"sizes": (0, 4)}, "needs sizes and strides of at least 1"),
        ({"strides": (1, -1)}, "needs sizes and strides of at least 1"),
        ({"pitches": (6, 2)}, "needs neighbours one element apart, got a last pitch of 2"),
        ({"pitches": (3, 1)}, "has rows that overlap: pitch 3 is less than 4 x 1"),
        ({"phases": ()}, "needs phases in ascending order below 1, got []"),
        ({"phases": (0, 0)}, "needs phases in ascending order below 1, got [0, 0]"),
        ({"phases": (-1,)}, "needs phases in ascending order below 1, got [-1]"),
        ({"plane": 15}, "has planes of 15 elements, too small for an extent of 16"),
        ({"lead": -1}, "needs lead and slack of at least 0"),
        ({"slack": -1}, "needs lead and slack of at least 0"),
    ],
)
def test_problem(changes: dict[str, Any], problem: str) -> None:
    assert replace(GOOD, **changes).problem() == problem
