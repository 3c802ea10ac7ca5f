"""One step of a decoder over what an encoder gave: which networks fit, and what a step computes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from niwaki.errors import NiwakiError
from niwaki.signature import TensorSpec

from .network import Network
from .state import State


class DecoderStep:
    """Checks that two networks fit together, and runs the second.

    Attributes:
        tokens: how many the decoder knows.
        largest: token that its input's type holds.

    Raises:
        NiwakiError: they do not.
    """

    def __init__(self, encoder: Network, decoder: Network) -> None:
        self._decoder = decoder
        self._path = decoder.bundle.path
        states, signature = decoder.bundle.manifest.states, decoder.signature
        if not states:
            raise NiwakiError(
                f"the decoder {self._path} has no states, in which it would remember what it has "
                "written: compile it with --state INPUT=OUTPUT"
            )
        given, carried = {state.input for state in states}, {state.output for state in states}
        taken = _without(signature.inputs, given)
        self._token = self._checked_token(taken)
        self.tokens = self._checked_scores(_without(signature.outputs, carried))
        self.largest = int(np.iinfo(self._token.dtype).max)
        if self.tokens - 1 > self.largest:
            raise NiwakiError(
                f"the decoder {self._path} writes {self.tokens} tokens and takes {self._token}, "
                "which does not hold all of them: let it take int32"
            )
        self._encoder_path = encoder.bundle.path
        self._taken, encoded = taken[1:], encoder.signature.outputs
        if _kinds(self._taken) != _kinds(encoded):
            raise NiwakiError(
                f"the decoder {self._path} takes {_listed(self._taken)} behind the token, and the "
                f"encoder {self._encoder_path} returns {_listed(encoded)}: make them the same, "
                "in one order"
            )

    def check(self, encoded: Sequence[np.ndarray]) -> None:
        """Of an encoder of several lengths, whose outputs may be shorter than a step takes.

        Raises:
            NiwakiError: they are.
        """
        for spec, array in zip(self._taken, encoded, strict=True):
            if array.shape != spec.shape:
                shape = "x".join(map(str, array.shape))
                raise NiwakiError(
                    f"the decoder {self._path} takes {spec}, and the encoder {self._encoder_path} "
                    f"returns {shape} for these inputs: fill them up to its largest length"
                )

    def __call__(self, encoded: Sequence[np.ndarray], token: int, state: State) -> np.ndarray:
        """Logarithms of probabilities of the next token, float64 [tokens].

        Raises:
            NiwakiError: the decoder gives none.
        """
        array = np.full(self._token.shape, token, self._token.dtype)
        results, _ = self._decoder.step(array, *encoded, state)
        scores = np.asarray(results, np.float64).reshape(-1)
        highest = scores.max()
        if not math.isfinite(highest):  # NaN is a maximum, too
            raise NiwakiError(
                f"the decoder {self._path} gives {highest} as the highest score behind token "
                f"{token}: its inputs or its weights are not all numbers"
            )
        scores -= highest
        return scores - np.log(np.exp(scores).sum())

    def _checked_token(self, taken: Sequence[TensorSpec]) -> TensorSpec:
        token = taken[0] if taken else None
        if token is None or token.kind.kind not in "iu" or math.prod(token.shape) != 1:
            raise NiwakiError(
                f"the decoder {self._path} takes {token or 'nothing'} first: its first input is "
                "the token before, one integer"
            )
        return token

    def _checked_scores(self, results: Sequence[TensorSpec]) -> int:
        """How many there are."""
        one = results[0] if len(results) == 1 else None
        if one is None or one.kind.kind != "f" or not one.shape or math.prod(one.shape[:-1]) != 1:
            raise NiwakiError(
                f"the decoder {self._path} returns {_listed(results)} beside its states: it "
                "returns the scores of the next token alone, floats of shape 1xTOKENS"
            )
        return one.shape[-1]


def _without(specs: Sequence[TensorSpec], numbers: set[int]) -> list[TensorSpec]:
    return [spec for number, spec in enumerate(specs) if number not in numbers]


def _kinds(specs: Sequence[TensorSpec]) -> list[tuple[tuple[int, ...], str]]:
    return [(spec.shape, spec.dtype) for spec in specs]


def _listed(specs: Sequence[TensorSpec]) -> str:
    return f"({', '.join(map(str, specs))})"
