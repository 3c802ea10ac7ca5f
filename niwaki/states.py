"""Which inputs of a network are states: they get what an output gave in the step before.

{"h": "h_next"}   -->   [StateRecord(input=1, output=1)]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .errors import NiwakiError
from .records import StateRecord
from .signature import Signature, TensorSpec


def find_states(signature: Signature, names: Mapping[str, str]) -> list[StateRecord]:
    """The states of a network, by the names of inputs and of the outputs that follow them.

    Raises:
        NiwakiError: it has no such input or output, the two differ in shape or dtype, or two inputs
            would follow one output.
    """
    inputs, outputs = signature.inputs, signature.outputs
    found = [
        StateRecord(_position(inputs, given, "input"), _position(outputs, next_, "output"))
        for given, next_ in names.items()
    ]
    if problem := states_problem(signature, found):
        raise NiwakiError(problem)
    return found


def states_problem(signature: Signature, states: Sequence[StateRecord]) -> str:
    """What is wrong with states, empty if nothing is."""
    for state in states:
        given, next_ = signature.inputs[state.input], signature.outputs[state.output]
        if (given.shape, given.dtype) != (next_.shape, next_.dtype):
            return (
                f"input {given} cannot be the state that output {next_} gives: shape and dtype "
                "must be equal"
            )
    for role in ("input", "output"):
        positions = [getattr(state, role) for state in states]
        if len(set(positions)) < len(positions):
            return f"one {role} is named for two states: each state has its own"
    return ""


def _position(specs: Sequence[TensorSpec], name: str, role: str) -> int:
    names = [spec.name for spec in specs]
    if name not in names:
        known = ", ".join(map(repr, names)) or "none"
        raise NiwakiError(f"the network has no {role} {name!r} to be a state: it has {known}")
    return names.index(name)
