"""What a network computes with, and gives up when it is closed: drivers, weights, idle lanes."""

from __future__ import annotations

from .bundle import Bundle
from .device import create_driver
from .lane import Lane
from .small_networks import useful_threads
from .together import TogetherLane
from .weights import Weights


class Engine:
    """Runs one part of a bundle.

    Attributes:
        threads: CPU threads that a call uses.
        idle: lanes that nobody uses now.
    """

    def __init__(self, part: Bundle, threads: int, share_weights: bool = False) -> None:
        """Args:
        threads: for one call, at most.
        share_weights: leave them in the file.

        Raises:
            NiwakiError: there is no such device, or the file was written into.
        """
        self._part = part
        self.threads = useful_threads(part.manifest, threads)
        self.idle: list[Lane | TogetherLane] = []
        leaves = part.leaves
        kinds = {leaf.manifest.target: leaf.manifest.driver for leaf in leaves}
        self._drivers = {name: create_driver(kind, self.threads) for name, kind in kinds.items()}
        self._weights = [Weights(leaf.weights, share_weights) for leaf in leaves]

    def check(self) -> None:
        """Refuse weights that somebody has written into.

        Raises:
            NiwakiError: they are mapped from a file that has changed.
        """
        for one in self._weights:
            one.check()

    def idle_lane(self) -> Lane | TogetherLane:
        """One that is idle, or a new one. Not asked before: other threads take lanes meanwhile."""
        try:
            return self.idle.pop()
        except IndexError:
            return self.create_lane()

    def create_lane(self) -> Lane | TogetherLane:
        """A new one.

        Raises:
            NiwakiError: IREE cannot load a module.
        """
        contents = [one.contents for one in self._weights]
        lane: Lane | TogetherLane
        if self._part.stages:
            lane = TogetherLane(self._drivers, self._part, contents)
        else:
            (driver,) = self._drivers.values()
            lane = Lane(driver, self._part, contents[0])
        # A GPU has copied them by now.
        self.check()
        return lane
