"""What a network remembers between two steps of a stream.

A state stays where the network computes: a step hands its results to the next one, or changes them
in place, and nothing is copied. Each stream has its own; a network serves any number of them with
one set of weights.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from niwaki.errors import NiwakiError

from .arrays import aligned_copy, aligned_empty

if TYPE_CHECKING:
    from .bundle import Bundle
    from .lane import Lane
    from .together import TogetherLane


class State:
    """The state of one stream, made by `Network.initial_state` and advanced by `Network.step`.

    Attributes:
        values: its tensors, in the order of the manifest's states: arrays, or what a lane carries.
        lane: where it was computed; None before the first step.
    """

    def __init__(self, bundle: Bundle, values: Sequence[Any]) -> None:
        self._bundle = bundle
        self._turn = threading.Lock()
        self.values: list[Any] = list(values)
        self.lane: Lane | TogetherLane | None = None

    def acquire(self, bundle: Bundle) -> None:
        """Before a step of the network of `bundle`; `release` follows it.

        Raises:
            NiwakiError: the state is of another network, or another thread is using it.
        """
        own = self._bundle
        if own is not bundle and own.manifest.digests != bundle.manifest.digests:
            raise NiwakiError(
                f"the state is one of {own.path}: initial_state() of the network {bundle.path} "
                "makes one for it"
            )
        if not self._turn.acquire(blocking=False):
            raise NiwakiError(
                f"two threads use one state of {bundle.path} at the same time: give each stream "
                "its own, by initial_state() or copy()"
            )

    def release(self) -> None:
        """After a step."""
        self._turn.release()

    def copy(self) -> State:
        """Another stream that goes on from here."""
        return State(self._bundle, list(self.arrays().values()))

    def arrays(self) -> dict[str, np.ndarray]:
        """Copies of its tensors, by the names of the network's inputs."""
        manifest = self._bundle.manifest
        specs = [manifest.signature.inputs[state.input] for state in manifest.states]
        self.acquire(self._bundle)
        try:
            return {
                spec.name: aligned_copy(self.lane.array(value, spec) if self.lane else value)
                for spec, value in zip(specs, self.values, strict=True)
            }
        finally:
            self.release()

    def __repr__(self) -> str:
        return f"<State of {self._bundle.path}>"


def check_states(bundle: Bundle) -> None:
    """Raises NiwakiError where a network has no states."""
    if not bundle.manifest.states:
        raise NiwakiError(
            f"{bundle.path} has no states: compile it with --state INPUT=OUTPUT, which names an "
            "input and the output that is its next value"
        )


def zeros(bundle: Bundle) -> State:
    """A state of zeros.

    Raises:
        NiwakiError: the network has no states.
    """
    check_states(bundle)
    manifest, values = bundle.manifest, []
    for state in manifest.states:
        spec = manifest.signature.inputs[state.input]
        values.append(aligned_empty(spec.shape, spec.dtype))
        values[-1][...] = 0
    return State(bundle, values)
