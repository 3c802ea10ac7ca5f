"""Scenes, films and clips that programs draw."""

from __future__ import annotations

import numpy as np
import pytest
from gallery.clips_drawn import ACTIONS, Course, clip, course
from gallery.clips_network import FRAMES, SIZE
from gallery.clothes import LARGEST, OVERLAP, SEEN, SMALLEST, Studio, overlap, put
from gallery.film import film
from gallery.studio import close_ups, studio

BAR = np.zeros((1, 28, 28), np.uint8)
BAR[0, 4:24, 10:15] = 255  # 20 pixels high, 5 wide


@pytest.fixture(scope="module")
def shipped() -> Studio:
    return studio(None, "test")


def test_a_seed_tells_all(shipped: Studio) -> None:
    one, again, other = (shipped.scene(seed, 96) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.image, again.image)
    np.testing.assert_array_equal(one.boxes, again.boxes)
    assert not np.array_equal(one.image, other.image)
    frames, action = clip(5)
    np.testing.assert_array_equal(frames, clip(5)[0])
    assert frames.shape == (FRAMES, SIZE, SIZE, 3)
    assert 0 <= action < len(ACTIONS)


def test_things_lie_in_the_scene(shipped: Studio) -> None:
    counts = set()
    for seed in range(20):
        scene = shipped.scene(seed, 200)
        sides = scene.boxes[:, 2:] - scene.boxes[:, :2]
        assert scene.boxes.min() >= 0
        assert scene.boxes.max() <= 200
        assert ((sides.max(1) >= SMALLEST) & (sides.max(1) <= LARGEST)).all()
        assert len(scene.labels) == len(scene.boxes)
        counts.add(len(scene.labels))
        for n, one in enumerate(scene.boxes.tolist()):
            assert all(overlap(one, other) <= OVERLAP for other in scene.boxes[:n].tolist())
    assert len(counts) > 2


def test_a_box_is_tight() -> None:
    """Of a bar all of the box is the thing, and what lies around it is none of it."""
    bars = Studio(BAR, np.array([3]))
    cut = bars.cut(np.random.default_rng(0))
    assert cut.grey.shape == (20, 5)
    thing = cut.at(60)
    assert thing.cover.shape == (60, 15)
    assert thing.cover.min() == 1
    canvas = np.full((80, 80, 3), 0.25, np.float32)
    put(canvas, thing, 20, 10)
    changed = (canvas != 0.25).any(2)
    assert changed[10:70, 20:35].all()
    assert changed.sum() == 60 * 15
    np.testing.assert_allclose(canvas[40, 25], cut.bright, rtol=1e-6)


def test_an_image_without_a_thing_is_taken_whole() -> None:
    dark = Studio(np.full((1, 28, 28), SEEN, np.uint8), np.array([0]))
    assert dark.cut(np.random.default_rng(0)).grey.shape == (28, 28)


def test_test_images_are_others_than_those_to_train_on() -> None:
    train, test = ({image.tobytes() for image in studio(None, part).images}
                   for part in ("train", "test"))  # fmt: skip
    assert len(train) == 800
    assert len(test) == 200
    assert not train & test


def test_film_moves_and_ends_as_it_begins(shipped: Studio) -> None:
    scenes = list(film(shipped, 3, 160, 12))
    boxes = np.stack([scene.boxes for scene in scenes])
    steps = np.abs(np.diff(np.concatenate([boxes, boxes[:1]]), axis=0)).max((1, 2))
    assert len(scenes) == 12
    assert (steps > 0).all()
    assert steps[-1] <= steps[:-1].max() * 1.5  # back to the first is a step as any other
    assert boxes.min() >= 0
    assert boxes.max() <= 160
    assert all((scene.labels == scenes[0].labels).all() for scene in scenes)


def moved(where: Course) -> tuple[float, float, float, float]:
    """From the first frame to the last: right, down, turned to the right, grown."""
    return (
        where.x[-1] - where.x[0],
        where.y[-1] - where.y[0],
        where.angle[-1] - where.angle[0],
        where.radius[-1] - where.radius[0],
    )


@pytest.mark.parametrize(
    ("action", "which", "sign"),
    [
        ("moves left", 0, -1), ("moves right", 0, 1), ("moves up", 1, -1), ("moves down", 1, 1),
        ("turns left", 2, -1), ("turns right", 2, 1), ("grows", 3, 1), ("shrinks", 3, -1),
    ],
)  # fmt: skip
def test_a_shape_does_what_is_said(action: str, which: int, sign: int) -> None:
    told = moved(course(np.random.default_rng(1), ACTIONS.index(action)))
    least = (5, 5, 40, 2)
    for number, value in enumerate(told):
        if number == which:
            assert sign * value > least[number]
        else:
            assert abs(value) < least[number] / 2


def test_a_shape_that_turns_right_turns_so_in_the_frames() -> None:
    """A bar from the middle to the right, turned by 90 degrees, reaches from the middle down."""
    from gallery.clips_drawn import SHEET, lay
    from PIL import Image, ImageDraw

    sheet = Image.new("RGBA", (SHEET, SHEET))
    ImageDraw.Draw(sheet).rectangle(
        (SHEET / 2, SHEET * 0.4, SHEET, SHEET * 0.6), fill=(255, 255, 255, 255)
    )
    middle = np.full(2, SIZE / 2)
    where = Course(middle, middle, np.array([0.0, 90.0]), np.full(2, 14.0))
    frames = np.zeros((2, SIZE, SIZE, 3), np.float32)
    for number, frame in enumerate(frames):
        lay(frame, sheet, where, number)
    centre, reach = SIZE // 2, SIZE // 2 + 10
    assert frames[0, centre, reach].min() > 0.9
    assert frames[1, reach, centre].min() > 0.9
    assert frames[0, reach, centre].max() == frames[1, centre, reach].max() == 0


def test_close_ups_show_one_thing_of_each_class() -> None:
    images, labels = close_ups(studio(None, "train"), 200)
    assert images.shape == (200, 3, 32, 32)
    assert set(labels.tolist()) == set(range(10))
    again, same = close_ups(studio(None, "train"), 200)
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(labels, same)
    # What is drawn is told from its ground: a thing covers the middle.
    middle, corner = images[:, :, 12:20, 12:20], images[:, :, :4, :4]
    assert np.abs(middle.mean((2, 3)) - corner.mean((2, 3))).mean() > 20
