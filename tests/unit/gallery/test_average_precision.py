"""Mean average precision and what it rests on, against cases that were worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from gallery.average_precision import average_precision, matched, mean_average_precision
from gallery.boxes import Found, ious, suppressed

THING = (0.0, 0.0, 10.0, 10.0)
AWAY = (50.0, 50.0, 60.0, 60.0)
ELSEWHERE = (80.0, 0.0, 90.0, 10.0)


def boxes(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def found(*rows: tuple[tuple[float, ...], int, float]) -> Found:
    return Found(
        boxes(*(row[0] for row in rows)),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float32),
    )


def true(*rows: tuple[tuple[float, ...], int]) -> tuple[np.ndarray, np.ndarray]:
    return boxes(*(row[0] for row in rows)), np.array([row[1] for row in rows], np.int64)


def test_intersection_over_union() -> None:
    some = boxes(THING, (5, 0, 15, 10), (2, 2, 4, 4))
    others = boxes(THING, AWAY, (10, 0, 20, 10))
    wanted = np.array([[1, 0, 0], [50 / 150, 0, 50 / 150], [4 / 100, 0, 0]])
    np.testing.assert_allclose(ious(some, others), wanted, rtol=1e-6)
    assert ious(boxes(), others).shape == (0, 3)
    assert ious(boxes((1, 1, 1, 1)), boxes((1, 1, 1, 1)))[0, 0] == 0  # no area


def test_of_many_boxes_alike_the_surest_stays() -> None:
    told = found(
        ((0, 0, 10, 9), 3, 0.5),  # 0.9 of the surest: goes
        (THING, 3, 0.9),
        ((0, 0, 10, 8.9), 4, 0.4),  # another class
        ((5, 0, 15, 10), 3, 0.3),  # a third of the surest
        (AWAY, 3, 0.8),
        ((5.5, 0, 15.5, 10), 3, 0.2),  # much of the third, which stays
    )
    kept = suppressed(told, 0.5)
    np.testing.assert_allclose(kept.scores, [0.9, 0.8, 0.4, 0.3])
    assert kept.labels.tolist() == [3, 3, 4, 3]
    across = suppressed(told, 0.5, across_classes=True)
    np.testing.assert_allclose(across.scores, [0.9, 0.8, 0.3])
    assert len(suppressed(found(), 0.5).scores) == 0


def test_what_goes_suppresses_nothing() -> None:
    """The second overlaps the first and the third, which do not overlap one another."""
    row = [((0, 0, 10, 10), 0, 0.9), ((3, 0, 13, 10), 0, 0.8), ((6, 0, 16, 10), 0, 0.7)]
    np.testing.assert_allclose(suppressed(found(*row), 0.5).scores, [0.9, 0.7])


def test_all_things_found() -> None:
    images = [true((THING, 0), (AWAY, 1)), true((AWAY, 0))]
    told = [found((THING, 0, 0.9), (AWAY, 1, 0.2)), found((AWAY, 0, 0.8))]
    assert mean_average_precision(told, images) == 1


def test_precision_falls_with_what_is_wrong() -> None:
    """Right, wrong, right of two things: 1/2 up to recall 1/2, then 2/3: 1/2 * 1 + 1/2 * 2/3."""
    told = [found((THING, 0, 0.9), (ELSEWHERE, 0, 0.8), (AWAY, 0, 0.7))]
    images = [true((THING, 0), (AWAY, 0))]
    assert average_precision(told, images, 0) == pytest.approx(1 / 2 + 1 / 2 * 2 / 3)


def test_precision_is_made_to_fall() -> None:
    """Wrong, then right, right: 1/2 and 2/3 become 2/3 and 2/3."""
    told = [found((ELSEWHERE, 0, 0.9), (THING, 0, 0.8), (AWAY, 0, 0.7))]
    images = [true((THING, 0), (AWAY, 0))]
    assert average_precision(told, images, 0) == pytest.approx(2 / 3)


def test_what_is_not_found_counts() -> None:
    images = [true((THING, 0), (AWAY, 0)), true((THING, 0), (AWAY, 0))]
    told = [found((THING, 0, 0.9)), found()]
    assert average_precision(told, images, 0) == pytest.approx(1 / 4)
    assert average_precision([found(), found()], images, 0) == 0


def test_a_thing_is_found_once() -> None:
    """Of two boxes at one thing the surer one is right; the other comes before the second thing."""
    told = [found((THING, 0, 0.9), ((0, 0, 10, 9), 0, 0.8), (AWAY, 0, 0.7))]
    images = [true((THING, 0), (AWAY, 0))]
    assert average_precision(told, images, 0) == pytest.approx(1 / 2 + 1 / 2 * 2 / 3)


def test_a_box_takes_the_thing_that_it_fits_best() -> None:
    things = boxes((0, 0, 10, 10), (2, 0, 12, 10))
    told = boxes((2, 0, 12, 10), (0, 0, 10, 10), (1, 0, 11, 10))
    assert matched(told, things, 0.5).tolist() == [True, True, False]
    # What the surest left is right where it overlaps enough.
    assert matched(told[[0, 0]], things, 0.5).tolist() == [True, True]


def test_overlap_decides() -> None:
    told = [found(((0, 0, 10, 6), 0, 0.9))]  # 0.6 of the thing
    images = [true((THING, 0))]
    assert mean_average_precision(told, images, 0.5) == 1
    assert mean_average_precision(told, images, 0.75) == 0


def test_scores_are_compared_across_images() -> None:
    """The surest box of all is wrong and in the second image."""
    told = [found((THING, 0, 0.5)), found((ELSEWHERE, 0, 0.9))]
    images = [true((THING, 0)), true((AWAY, 0))]
    assert average_precision(told, images, 0) == pytest.approx(1 / 2 * 1 / 2)


def test_a_class_without_things_does_not_count() -> None:
    """Boxes of it are wrong, but of no class in the mean; the wrong class finds nothing."""
    told = [found((THING, 0, 0.9), (AWAY, 7, 0.8))]
    images = [true((THING, 0), (AWAY, 2))]
    assert mean_average_precision(told, images) == pytest.approx((1 + 0) / 2)
