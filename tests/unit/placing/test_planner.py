"""Plans of hand-made networks, whose best places somebody can see; and of drawn ones, tried out."""

from __future__ import annotations

import random
from itertools import pairwise, product

import pytest

from niwaki.placing import planner
from niwaki.placing.planner import GAIN, chains, plan
from niwaki.placing.runs import runs
from niwaki.placing.timeline import Device, Simulation, Unit

CPU, GPU, NPU = Device("cpu"), Device("gpu"), Device("npu")
# A second for whatever goes there or comes back, and one more for ten bytes.
FAR = Device("gpu", latency=1, bandwidth=10)
VERY_FAR = Device("gpu", latency=100, bandwidth=1)


def unit(seconds: tuple[float, ...], *reads: int, size: int = 0, out: bool = False) -> Unit:
    return Unit(f"{seconds}", seconds, reads, size, is_output=out)


def chain(*seconds: tuple[float, ...], size: int = 0) -> list[Unit]:
    last = len(seconds) - 1
    return [
        unit(one, *([number - 1] if number else []), size=size, out=number == last)
        for number, one in enumerate(seconds)
    ]


def fork(*branches: tuple[float, ...], ends: tuple[float, ...] = (1, 1)) -> list[Unit]:
    """A stem, branches of a unit each, and a head."""
    middle = [unit(one, 0) for one in branches]
    return [unit(ends), *middle, unit(ends, *range(1, len(branches) + 1), out=True)]


# Networks, devices, the device of each unit (by its number), seconds of a call.
CASES = {
    "one layer, the faster device": (chain((3, 2)), [CPU, GPU], "1", 2),
    "a chain stays where it is faster": (chain((3, 2), (3, 2), (3, 2)), [CPU, GPU], "111", 6),
    "equal devices: the first one": (chain((2, 2), (2, 2)), [CPU, GPU], "00", 4),
    "each layer where it is faster, for nothing": (chain((1, 5), (5, 1)), [CPU, GPU], "01", 2),
    "a far device has to be worth it": (chain((2, 1.5), (2, 2)), [CPU, FAR], "00", 4),
    "and is for a large layer": (chain((1, 9), (9, 1)), [CPU, FAR], "01", 4),
    "bytes count, too": (chain((1, 9), (9, 1), size=90), [CPU, FAR], "00", 10),
    "there and back again": (chain((1, 9), (30, 1), (1, 9)), [CPU, FAR], "010", 5),
    "not for so far away": (chain((1, 9), (30, 1), (1, 9)), [CPU, VERY_FAR], "000", 32),
    "two equal branches at the same time": (fork((5, 5), (5, 5)), [CPU, GPU], "0010", 7),
    "the heavier branch where it is faster": (fork((9, 4), (4, 9)), [CPU, GPU], "0100", 6),
    "small branches stay together": (fork((1, 1), (1, 1)), [CPU, FAR], "0000", 4),
    "a branch that is worth its way": (fork((8, 4), (8, 8)), [CPU, FAR], "0100", 10),
    "four branches, two each": (fork(*[(3, 3)] * 4), [CPU, GPU], "000110", 8),
    "three branches of 4, 2, 2": (fork((4, 4), (2, 2), (2, 2)), [CPU, GPU], "00110", 6),
    "three devices for three branches": (fork(*[(4, 4, 4)] * 3, ends=(1, 1, 1)),
                                         [CPU, GPU, NPU], "00120", 6),
    "two inputs need not wait for each other": (
        [unit((4, 4)), unit((4, 4)), unit((1, 1), 0, 1, out=True)], [CPU, GPU], "010", 5),
    "two results, one from each": (
        [unit((1, 1)), unit((6, 6), 0, out=True), unit((6, 6), 0, out=True)],
        [CPU, GPU], "001", 7),
    "a residual goes with its sum": (
        [unit((1, 9)), unit((2, 9), 0), unit((1, 9), 0, 1, out=True)], [CPU, GPU], "000", 4),
    "impossible on one device": (
        chain((1, float("inf")), (9, 1), (1, float("inf"))), [CPU, GPU], "010", 3),
    "branches of two layers move whole": (
        [unit((1, 1)), unit((3, 3), 0), unit((3, 3), 1), unit((3, 3), 0), unit((3, 3), 3),
         unit((1, 1), 2, 4, out=True)], [CPU, FAR], "000110", 10),
    "if the way is shorter than a branch": (
        [unit((1, 1)), unit((6, 5), 0), unit((6, 5), 1), unit((6, 6), 0), unit((6, 6), 3),
         unit((1, 1), 2, 4, out=True)], [CPU, FAR], "011000", 14),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("few", [planner.FEW, 0])
def test_hand_made(case: str, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both by trying all places, and by moving what gains."""
    monkeypatch.setattr(planner, "FEW", few)
    units, devices, expected, seconds = CASES[case]
    places, timeline = plan(units, devices)
    assert timeline.seconds == seconds
    mirrored = timeline.seconds == Simulation(units, devices).run(list(map(int, expected))).seconds
    assert "".join(map(str, places)) == expected or mirrored


def test_two_branches_of_a_detector() -> None:
    """A stem and a head of a twentieth each: more than 0.4 of all is saved."""
    stem, layer = (1.0, 1.0), (3.0, 3.0)
    branches = [unit(layer, 0), unit(layer, 1), unit(layer, 2), unit(layer, 0), unit(layer, 4),
                unit(layer, 5)]  # fmt: skip
    units = [unit(stem, size=1), *branches, unit(stem, 3, 6, out=True)]
    devices = [CPU, Device("gpu", latency=0.3, bandwidth=10)]
    alone = [Simulation(units, devices).run([one] * len(units)).seconds for one in (0, 1)]
    _, timeline = plan(units, devices)
    assert timeline.seconds <= 0.6 * min(alone)


def drawn(seed: int) -> tuple[list[Unit], list[Device]]:
    draw = random.Random(seed)
    units = [Unit("0", (draw.random(), draw.random()), size=draw.randint(0, 9), given=3)]
    for number in range(1, draw.randint(2, 9)):
        reads = tuple(sorted({draw.randrange(number) for _ in range(draw.randint(1, 2))}))
        seconds = draw.random(), draw.random()
        units.append(Unit(str(number), seconds, reads, draw.randint(0, 9)))
    read = {number for one in units for number in one.reads}
    units = [
        Unit(one.name, one.seconds, one.reads, one.size, one.given, number not in read)
        for number, one in enumerate(units)
    ]
    return units, [Device("cpu", 0.01), Device("gpu", draw.random() / 5, 20 + 80 * draw.random())]


def test_moving_is_nearly_as_good_as_trying_all(monkeypatch: pytest.MonkeyPatch) -> None:
    worse = []
    for seed in range(60):
        units, devices = drawn(seed)
        simulation = Simulation(units, devices)
        every = product(range(2), repeat=len(units))
        best = min(simulation.run(places).seconds for places in every)
        monkeypatch.setattr(planner, "FEW", 4096)
        assert plan(units, devices)[1].seconds <= best * (1 + GAIN) ** 3
        monkeypatch.setattr(planner, "FEW", 0)
        worse.append(plan(units, devices)[1].seconds / best)
    assert max(worse) < 1.2
    assert sum(worse) / len(worse) < 1.01


@pytest.mark.parametrize("seed", range(40))
def test_timelines_and_runs_hold_together(seed: int) -> None:
    """Nothing runs before what it reads, nor two things at once; runs read only runs before."""
    units, devices = drawn(seed)
    draw = random.Random(seed)
    places = [draw.randrange(2) for _ in units]
    timeline = Simulation(units, devices).run(places)
    at = {step.unit: step for step in timeline.steps}
    assert set(at) == set(range(len(units)))
    for number, one in enumerate(units):
        assert at[number].device == places[number]
        for read in one.reads:
            # What stays on a device need not wait until a copy of it has left.
            assert at[number].begin >= at[read].end - 1e-12
    for device in range(2):
        own = [step for step in timeline.steps if step.device == device]
        assert all(one.end <= after.begin + 1e-12 for one, after in pairwise(own))
    assert timeline.seconds == max(step.end for step in timeline.steps)
    found = runs(units, places, timeline)
    assert sorted(number for run in found for number in run.units) == list(range(len(units)))
    before: set[int] = set()
    for run in found:
        assert {places[number] for number in run.units} == {run.device}
        inner = set(run.units)
        assert {read for number in inner for read in units[number].reads} <= before | inner
        before |= inner


def test_given_places_are_kept() -> None:
    units = fork((5, 5), (5, 5))
    places, timeline = plan(units, [CPU, GPU], {0: 1, 1: 1, 2: 1})
    assert places[:3] == [1, 1, 1]
    assert timeline.seconds == 12


def test_chains_end_at_forks() -> None:
    simulation = Simulation(fork((1, 1), (1, 1)), [CPU])
    assert chains(simulation) == [[0], [1], [2], [3]]
    assert chains(Simulation(chain((1,), (1,), (1,)), [CPU])) == [[0, 1, 2]]


def test_copies_keep_a_device_from_computing() -> None:
    """In: the input and what another device gives, once; out: what others read, and results."""
    units = [
        Unit("a", (1, 1), size=10),
        Unit("b", (1, 1), (0,), size=20, given=30),
        Unit("c", (1, 1), (0, 1), is_output=True, size=0),
    ]
    timeline = Simulation(units, [CPU, FAR]).run([0, 1, 1])
    assert [(step.unit, step.begin, step.end) for step in timeline.steps] == [
        (0, 0, 1),
        (1, 1, 1 + 4 + 2 + 1),
        (2, 8, 8 + 1 + 1),
    ]
