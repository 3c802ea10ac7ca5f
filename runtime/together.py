"""A network on several devices at once: each runs its stages, in order, as what they read arrives.

    caller's thread   [stem] . . . . . . [right] [head]
    another thread           [left ------------]

Tensors go from device to device through the host's memory. What a GPU computes for its own later
stages alone stays there.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from niwaki.signature import TensorSpec

from .bundle import Bundle
from .device import create_device
from .lane import Lane, shares_memory
from .manifest import Plan

# A stage, counted from 1, and one of its outputs; or 0 and an input of the network.
Source = tuple[int, int]


class TogetherLane:
    """The stages of `bundle`, each loaded onto its target's device.

    Attributes:
        lanes: one for each stage.

    Raises:
        NiwakiError: IREE cannot load a module, or it is not the one that its manifest describes.
    """

    def __init__(
        self, drivers: Mapping[str, Any], bundle: Bundle, weights: Sequence[memoryview]
    ) -> None:
        """Args:
        drivers: by target.
        weights: of each stage.
        """
        targets = [stage.manifest.target for stage in bundle.stages]
        kinds = {stage.manifest.target: stage.manifest.driver for stage in bundle.stages}
        devices = {name: create_device(drivers[name], kind) for name, kind in kinds.items()}
        self.lanes = [
            Lane(drivers[target], stage, contents, devices[target])
            for target, stage, contents in zip(targets, bundle.stages, weights, strict=True)
        ]
        self._plan = bundle.manifest.plan
        # The caller's own thread is one of the CPU's, which is nearest to what it brings.
        order = sorted(kinds, key=lambda name: kinds[name] != "local")
        self._turns = [
            [number for number, target in enumerate(targets) if target == name] for name in order
        ]
        self._kept, self._sent = _destinations(self._plan, targets, kinds)
        self._helpers = _Helpers(len(order) - 1)

    def __call__(self, inputs: Sequence[np.ndarray], length: int = 0) -> list[np.ndarray]:
        """Run the network once. Inputs have been checked.

        Raises:
            NiwakiError: a result is not what a manifest says.
        """
        call = _Call(self, self._plan, inputs, self._kept, self._sent)
        first, *others = self._turns
        try:
            helping = [self._helpers.threads().submit(call.run, stages) for stages in others]
            call.run(first)
            for one in helping:
                one.result()
        except BaseException as error:  # an interrupt, which can come between any two lines
            call.fail(error)
            raise
        return call.outputs()

    def step(self, inputs: Sequence[np.ndarray], carried: Collection[int]) -> list[np.ndarray]:
        """As a call: states are arrays, as all that goes from device to device."""
        return self(inputs)

    def array(self, value: np.ndarray, spec: TensorSpec) -> np.ndarray:
        """What an output is, as an array."""
        return value


class _Helpers:
    """Threads beside the caller's. A process that was forked has none of its parent's."""

    def __init__(self, count: int) -> None:
        self._count, self._process = max(1, count), 0

    def threads(self) -> ThreadPoolExecutor:
        if self._process != os.getpid():
            self._threads = ThreadPoolExecutor(self._count, "niwaki-device")
            self._process = os.getpid()
        return self._threads


class _Call:
    """One call: what has been computed so far."""

    def __init__(
        self,
        lane: TogetherLane,
        plan: Plan,
        inputs: Sequence[np.ndarray],
        kept: Sequence[frozenset[int]],
        sent: Sequence[frozenset[int]],
    ) -> None:
        self._lane, self._plan, self._inputs = lane, plan, inputs
        self._kept, self._sent = kept, sent
        self._there: dict[Source, Any] = {}  # on the device that computed it
        self._here: dict[Source, np.ndarray] = {(0, i): one for i, one in enumerate(inputs)}
        self._done = [threading.Event() for _ in plan.stages]
        self._error: BaseException | None = None

    def run(self, stages: Sequence[int]) -> None:
        """The stages of one device; those that are left are not run after an error of any."""
        try:
            for number in stages:
                for before, _ in self._plan.stages[number].inputs:
                    if before:
                        self._done[before - 1].wait()
                if self._error is not None:
                    return
                self._stage(number)
        except BaseException as error:
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """End the call: nobody waits any more for what never comes."""
        self._error = self._error or error
        for one in self._done:
            one.set()

    def _stage(self, number: int) -> None:
        stage, lane = self._plan.stages[number], self._lane.lanes[number]
        sources = [(one[0], one[1]) for one in stage.inputs]
        target = stage.manifest.target
        arguments = [
            self._there[source]
            if source in self._there and self._target(source) == target
            else self._here[source]
            for source in sources
        ]
        kept, sent = self._kept[number], self._sent[number]
        specs = stage.manifest.signature.outputs
        for output, value in enumerate(lane.run(arguments, kept)):
            if output in kept:
                self._there[number + 1, output] = value
            if output in sent:
                self._here[number + 1, output] = lane.array(value, specs[output])
        self._done[number].set()

    def _target(self, source: Source) -> str:
        return self._plan.stages[source[0] - 1].manifest.target

    def outputs(self) -> list[np.ndarray]:
        """The network's, each in memory of its own.

        Raises the error that ended the call, if one did.
        """
        if self._error is not None:
            raise self._error
        found: list[np.ndarray] = []
        for stage, number in self._plan.outputs:
            output = self._here[stage, number]
            taken = shares_memory(output, [*self._inputs, *found])
            found.append(output.copy() if taken else output)
        return found


def _destinations(
    plan: Plan, targets: Sequence[str], kinds: Mapping[str, str]
) -> tuple[list[frozenset[int]], list[frozenset[int]]]:
    """For each stage which outputs stay on its device, and which leave it.

    A CPU's do nothing else: others read them where they lie.
    """
    kept: list[set[int]] = [set() for _ in plan.stages]
    sent: list[set[int]] = [set() for _ in plan.stages]
    for reader, stage in enumerate(plan.stages):
        for before, output in stage.inputs:
            if not before:
                continue
            target = targets[before - 1]
            stays = target == targets[reader] and kinds[target] != "local"
            (kept if stays else sent)[before - 1].add(output)
    for before, output in plan.outputs:
        if before:
            sent[before - 1].add(output)
    return [frozenset(one) for one in kept], [frozenset(one) for one in sent]
