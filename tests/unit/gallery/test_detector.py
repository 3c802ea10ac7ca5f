"""The detector: its places and boxes, what it learns, what is read from its output."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fashion_mnist import DENSE_CHECKPOINT, load_network
from gallery.boxes_drawn import with_boxes
from gallery.clothes import NAMES, Scene
from gallery.detector import ALIKE, SIZE, detections
from gallery.detector_network import CLASSES, SIDES, Detector, boxes_at, places, start_from
from gallery.detector_training import SceneBatches, Targets, assigned, loss, overlaps
from gallery.studio import studio

SMALL = (20.0, 40.0, 50.0, 80.0)  # on the fine map
LARGE = (96.0, 16.0, 176.0, 126.0)  # on the coarse one


def scene(*boxes: tuple[float, ...], labels: tuple[int, ...]) -> Scene:
    image = np.zeros((192, 192, 3), np.uint8)
    return Scene(image, np.array(boxes, np.float32), np.array(labels))


def said(one: Scene, size: int) -> tuple[torch.Tensor, Targets]:
    """What a network that knows the scene says ``[1, SIDES + CLASSES, P]``, and the targets."""
    middles, strides = places(size, size)
    boxes, labels = assigned(one, middles, strides)
    sides = torch.cat((middles - boxes[:, :2], boxes[:, 2:] - middles), 1).clamp(min=1)
    logits = torch.full((len(labels), CLASSES + 1), -12.0)
    logits[torch.arange(len(labels)), labels] = 12.0
    told = torch.cat(((sides / strides[:, None]).log(), logits[:, :CLASSES]), 1).T[None]
    return told, Targets(boxes[None], labels[None], torch.empty(0))


def test_there_is_a_place_for_each_pixel_of_the_maps() -> None:
    network = Detector().eval()
    with torch.inference_mode():
        told = network(torch.rand(1, 3, 96, 64))
    middles, strides = places(96, 64)
    assert told.shape == (1, SIDES + CLASSES, len(middles)) == (1, 14, 12 * 8 + 6 * 4)
    assert len(NAMES) == CLASSES
    assert middles[:9].tolist() == [[4 + 8 * n, 4] for n in range(8)] + [[4, 12]]
    assert middles[96].tolist() == [8, 8]
    assert strides.unique().tolist() == [8, 16]


def test_a_place_sees_what_lies_around_it() -> None:
    """A change of the image changes most what places there say."""
    torch.manual_seed(0)
    network = start_from(Detector(), load_network(DENSE_CHECKPOINT)).eval()
    image = torch.full((1, 3, 192, 192), 0.4)
    changed = image.clone()
    changed[..., 40:80, 120:160] = torch.rand(3, 40, 40)
    with torch.inference_mode():
        difference = (network(changed) - network(image))[0].abs().sum(0)
    middles, strides = places(192, 192)
    for stride in (8, 16):
        most = middles[strides == stride][difference[strides == stride].argmax()]
        assert 110 <= float(most[0]) <= 170
        assert 30 <= float(most[1]) <= 90


def test_the_classifier_is_where_it_starts() -> None:
    """Grey things give the features that the classifier has of them, halved in size."""
    classifier = load_network(DENSE_CHECKPOINT)
    detector = start_from(Detector(), classifier).eval()
    grey = torch.rand(1, 1, 32, 32)
    with torch.inference_mode():
        wanted = torch.relu(classifier.bn1(classifier.conv1(grey)))[..., ::2, ::2]
        torch.testing.assert_close(detector.stem(grey.expand(-1, 3, -1, -1)), wanted)
        features = classifier.layer2(classifier.layer1(wanted))
        torch.testing.assert_close(detector.stage2(detector.stage1(wanted)), features)
        torch.testing.assert_close(detector.stage3(features), classifier.layer3(features))


def test_a_thing_is_that_of_the_places_around_its_middle() -> None:
    middles, strides = places(192, 192)
    boxes, labels = assigned(scene(SMALL, LARGE, labels=(7, 2)), middles, strides)
    mine = labels == 7
    assert strides[mine].unique().tolist() == [8]
    np.testing.assert_array_equal(boxes[mine][0], SMALL)
    assert middles[mine].tolist() == [
        [x, y] for y in (52, 60, 68) for x in (28, 36, 44)
    ]  # fmt: skip
    assert strides[labels == 2].unique().tolist() == [16]
    assert set(labels.unique().tolist()) == {2, 7, CLASSES}


def test_of_two_things_the_smaller_has_the_place() -> None:
    middles, strides = places(192, 192)
    within = (28.0, 50.0, 44.0, 70.0)
    _, labels = assigned(scene(SMALL, within, labels=(1, 5)), middles, strides)
    at = (middles == torch.tensor([36.0, 60.0])).all(1) & (strides == 8)
    assert labels[at].tolist() == [5]


def test_places_outside_a_thin_thing_are_not_its() -> None:
    middles, strides = places(192, 192)
    boxes, labels = assigned(scene((60.0, 40.0, 70.0, 90.0), labels=(0,)), middles, strides)
    mine = labels == 0
    assert mine.any()
    assert ((middles[mine] > boxes[mine][:, :2]) & (middles[mine] < boxes[mine][:, 2:])).all()


def test_who_knows_the_scene_loses_nothing() -> None:
    told, targets = said(scene(SMALL, LARGE, labels=(7, 2)), 192)
    assert float(loss(told, targets)) < 1e-3
    moved = told.clone()
    moved[:, 0] += 0.5
    unsure = told.clone()
    unsure[:, SIDES + 7] = -12
    for worse in (moved, unsure):
        assert float(loss(worse, targets)) > 0.1


def test_a_teacher_is_followed() -> None:
    told, targets = said(scene(SMALL, labels=(7,)), 192)
    other = told + 1
    alone = float(loss(other, targets))
    assert float(loss(other, targets._replace(taught=told))) > alone
    assert float(loss(other, targets._replace(taught=other))) == pytest.approx(alone)


def test_generalised_overlap() -> None:
    some = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10]])
    others = torch.tensor([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 0, 30, 10]])
    fit, generalised = overlaps(some, others)
    torch.testing.assert_close(fit, torch.tensor([1, 1 / 3, 0]))
    torch.testing.assert_close(generalised, torch.tensor([1, 1 / 3, -1 / 3]))


def test_each_thing_is_read_once() -> None:
    """Nine places or so speak for each thing."""
    told, _ = said(scene(SMALL, LARGE, labels=(7, 2)), SIZE)
    found = detections(told.numpy())
    assert sorted(found.labels.tolist()) == [2, 7]
    order = found.labels.argsort()
    np.testing.assert_allclose(found.boxes[order], [LARGE, SMALL], atol=1e-3)
    assert found.scores.min() > 0.99
    assert 0 < ALIKE < 1


def test_boxes_are_around_their_places() -> None:
    middles, strides = torch.tensor([[20.0, 30.0]]), torch.tensor([8.0])
    told = torch.tensor([1.0, 2, 3, 4]).log()[:, None]
    assert boxes_at(told, middles, strides).round().tolist() == [[12, 14, 44, 62]]


def test_batches_come_again() -> None:
    batches = SceneBatches(studio(None, "train"), 96, 2, 2, teacher=Detector().eval())
    torch.manual_seed(3)
    first = [images for images, _ in batches]
    torch.manual_seed(3)
    again = list(batches)
    assert len(batches) == len(again) == 2
    assert not torch.equal(first[0], first[1])
    for images, (same, targets) in zip(first, again, strict=True):
        torch.testing.assert_close(images, same)
        assert images.shape == (2, 3, 96, 96)
        assert targets.taught.shape == (2, SIDES + CLASSES, targets.labels.shape[1])


def test_boxes_are_drawn() -> None:
    told, _ = said(scene(SMALL, labels=(7,)), SIZE)
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    drawn = with_boxes(image, detections(told.numpy()), NAMES)
    changed = (drawn != image).any(2)
    assert changed[40:80, 20].all()
    assert not changed[44:76, 24:46].any()
    assert changed[28:39, 20:60].any()  # the name
    assert not image.any()
