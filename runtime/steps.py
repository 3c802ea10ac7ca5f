"""Which tensors of a network go with each step of a stream, and which stay from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from niwaki.errors import NiwakiError
from niwaki.records import StateRecord
from niwaki.signature import Signature, TensorSpec

from .arguments import checked
from .lane import Lane
from .state import State
from .together import TogetherLane


@dataclass(frozen=True)
class Steps:
    """What `Network.step` looks up each time, for a network with these states.

    Attributes:
        inputs: all inputs of the network.
        frames: numbers of the inputs that come with each step.
        states: numbers of the inputs that are states.
        carried: numbers of the outputs that are their next values, in the same order.
        results: numbers of the outputs that a step returns.
    """

    inputs: tuple[TensorSpec, ...]
    frames: tuple[int, ...]
    states: tuple[int, ...]
    carried: tuple[int, ...]
    results: tuple[int, ...]

    @classmethod
    def of(cls, signature: Signature, records: Sequence[StateRecord]) -> Steps:
        """Those of a manifest."""
        states = tuple(record.input for record in records)
        carried = tuple(record.output for record in records)
        frames = (i for i in range(len(signature.inputs)) if i not in states)
        results = (i for i in range(len(signature.outputs)) if i not in carried)
        return cls(signature.inputs, tuple(frames), states, carried, tuple(results))

    def bind(self, arguments: Sequence[Any]) -> list[Any]:
        """The inputs of a call, without those that are states.

        Raises:
            NiwakiError: the number of arrays, a shape or a dtype is wrong.
        """
        if len(arguments) != len(self.frames):
            expected = ", ".join(str(self.inputs[number]) for number in self.frames)
            arrays = "array" if len(self.frames) == 1 else "arrays"
            raise NiwakiError(
                f"a step takes {len(self.frames)} {arrays} ({expected}) and the state; got "
                f"{len(arguments)} and the state"
            )
        bound: list[Any] = [None] * len(self.inputs)
        for number, value in zip(self.frames, arguments, strict=True):
            bound[number] = checked(self.inputs[number], value)
        return bound

    def advance(self, lane: Lane | TogetherLane, bound: list[Any], state: State) -> Any:
        """Run one step on `lane` and move `state` there; returns what the step shows."""
        elsewhere = None if state.lane is lane else state.lane
        for number, value in zip(self.states, state.values, strict=True):
            here = value if elsewhere is None else elsewhere.array(value, self.inputs[number])
            bound[number] = here
        outputs = lane.step(bound, self.carried)
        state.values, state.lane = [outputs[number] for number in self.carried], lane
        results = [outputs[number] for number in self.results]
        return results[0] if len(results) == 1 else tuple(results)
