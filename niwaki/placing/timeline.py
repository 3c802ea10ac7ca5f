"""When each unit of a placed network runs.

    unit   gpu  cpu   reads                gpu  [stem][copy][--left---]      [head]
    stem   1    3                  -->     cpu              [--right---][copy]
    left   4    5     stem
    right  6    5     stem
    head   1    2     left, right

A device computes one unit at a time. What is in its own memory goes there and back by copies, which
keep it from computing: that is how the runtime moves tensors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Device:
    """What computes, as far as plans depend on it.

    Attributes:
        name: its target's.
        latency: seconds until another thread, or the device, takes over what it waits for.
        bandwidth: bytes a second between its memory and the host's; 0 where they are one.
    """

    name: str
    latency: float = 0.0
    bandwidth: float = 0.0

    def move(self, size: int) -> float:
        """Seconds to take a tensor of so many bytes from another device, or to give it."""
        return self.latency + (size / self.bandwidth if self.bandwidth else 0.0)

    def call(self, size: int) -> float:
        """Seconds to take a tensor from the caller, or to give it: none in the host's memory."""
        return self.move(size) if self.bandwidth else 0.0


@dataclass(frozen=True)
class Unit:
    """What one device computes without a break: a layer with what follows it, say.

    Attributes:
        name: of its first layer.
        seconds: on each device.
        reads: units before it whose results it reads.
        size: bytes of its result.
        given: bytes that it reads of the network's inputs.
        is_output: whether its result is one of the network's.
        layers: names of its layers; without any it joins what others compute.
    """

    name: str
    seconds: tuple[float, ...]
    reads: tuple[int, ...] = ()
    size: int = 0
    given: int = 0
    is_output: bool = False
    layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """A unit on its device, from when to when, copies included; in seconds."""

    unit: int
    device: int
    begin: float
    end: float


@dataclass(frozen=True)
class Timeline:
    """Steps in the order in which they begin, and seconds until the last result is there."""

    steps: Sequence[Step]
    seconds: float


@dataclass
class Simulation:
    """A network's units on devices.

    Attributes:
        units: each reads only such as stand before it.
        devices: what computes them.
        readers: of each unit, those that read it.
    """

    units: Sequence[Unit]
    devices: Sequence[Device]
    readers: Sequence[Sequence[int]] = field(init=False)

    def __post_init__(self) -> None:
        readers: list[list[int]] = [[] for _ in self.units]
        for number, unit in enumerate(self.units):
            for read in unit.reads:
                readers[read].append(number)
        self.readers = readers

    def run(self, places: Sequence[int]) -> Timeline:
        """Units begin as soon as they can; of several those first on which most waits.

        Args:
            places: the device of each unit.
        """
        waits = self._waits(places)
        missing = [len(unit.reads) for unit in self.units]
        ready = {number for number, count in enumerate(missing) if not count}
        free = [0.0] * len(self.devices)
        known: list[dict[int, float]] = [{} for _ in self.devices]  # when a result is there
        steps = []
        while ready:
            begin, _, unit = min(
                (self._start(unit, places[unit], free, known), -waits[unit], unit) for unit in ready
            )
            ready.remove(unit)
            steps.append(self._step(unit, places, begin, free, known))
            for reader in self.readers[unit]:
                missing[reader] -= 1
                if not missing[reader]:
                    ready.add(reader)
        return Timeline(steps, max(free))

    def _start(
        self, unit: int, place: int, free: Sequence[float], known: Sequence[Mapping[int, float]]
    ) -> float:
        """When a device can begin with a unit, or with copies of what it reads."""
        times = (min(one[read] for one in known if read in one) for read in self.units[unit].reads)
        return max([free[place], *times])

    def _step(
        self,
        unit: int,
        places: Sequence[int],
        begin: float,
        free: list[float],
        known: Sequence[dict[int, float]],
    ) -> Step:
        told, place = self.units[unit], places[unit]
        device, now = self.devices[place], begin
        if told.given:
            now += device.call(told.given)
        for read in told.reads:
            if read not in known[place]:
                now += device.move(self.units[read].size)
                known[place][read] = now
        now += told.seconds[place]
        if any(places[reader] != place for reader in self.readers[unit]):
            now += device.move(told.size)
        elif told.is_output:
            now += device.call(told.size)
        known[place][unit] = now
        free[place] = now
        return Step(unit, place, begin, now)

    def _waits(self, places: Sequence[int]) -> list[float]:
        """Seconds that are left from the beginning of each unit, at least."""
        waits = [0.0] * len(self.units)
        for number in reversed(range(len(self.units))):
            after = max((waits[reader] for reader in self.readers[number]), default=0.0)
            waits[number] = self.units[number].seconds[places[number]] + after
        return waits
