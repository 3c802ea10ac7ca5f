"""What a network remembers between two steps of a stream.

A state stays where the network computes: a step hands its results to the next one, and nothing is
copied. Each stream has its own; a network serves any number of them with one set of weights.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from niwaki.errors import NiwakiError

from .arrays import aligned_empty
from .manifest import Manifest

if TYPE_CHECKING:
    from .lane import Lane


class State:
    """The state of one stream, made by `Network.initial_state` and advanced by `Network.step`.

    Attributes:
        values: its tensors, in the order of the manifest's states: arrays, or what a lane carries.
        lane: where it was computed; None before the first step.
    """

    def __init__(self, path: str, manifest: Manifest, values: Sequence[Any]) -> None:
        self._path, self._manifest = path, manifest
        self._turn = threading.Lock()
        self.values: list[Any] = list(values)
        self.lane: Lane | None = None

    @contextmanager
    def in_use(self, path: str, manifest: Manifest) -> Iterator[None]:
        """For a step of the network at `path`.

        Raises:
            NiwakiError: the state is of another network, or another thread is using it.
        """
        if self._manifest.digests != manifest.digests:
            raise NiwakiError(
                f"the state is one of {self._path}: initial_state() of the network {path} makes "
                "one for it"
            )
        if not self._turn.acquire(blocking=False):
            raise NiwakiError(
                f"two threads use one state of {path} at the same time: give each stream its own, "
                "by initial_state() or copy()"
            )
        try:
            yield
        finally:
            self._turn.release()

    def copy(self) -> State:
        """Another stream that goes on from here."""
        with self.in_use(self._path, self._manifest):
            made = State(self._path, self._manifest, self.values)
            made.lane = self.lane
            return made

    def arrays(self) -> dict[str, np.ndarray]:
        """Copies of its tensors, by the names of the network's inputs."""
        with self.in_use(self._path, self._manifest):
            inputs = self._manifest.signature.inputs
            specs = [inputs[state.input] for state in self._manifest.states]
            return {
                spec.name: np.array(value if self.lane is None else self.lane.array(value, spec))
                for spec, value in zip(specs, self.values, strict=True)
            }

    def __repr__(self) -> str:
        return f"<State of {self._path}>"


def zeros(path: str, manifest: Manifest) -> State:
    """A state of zeros.

    Raises:
        NiwakiError: the network has no states.
    """
    if not manifest.states:
        raise NiwakiError(
            f"{path} has no states: compile it with --state INPUT=OUTPUT, which names an input and "
            "the output that is its next value"
        )
    values = []
    for state in manifest.states:
        spec = manifest.signature.inputs[state.input]
        values.append(aligned_empty(spec.shape, spec.dtype))
        values[-1][...] = 0
    return State(path, manifest, values)
