"""A guard against decoders that do not end: how many tokens can there be in what was heard?

A decoder with attention that hears what it has not been trained on may stay at one place and repeat
itself (https://arxiv.org/abs/2002.05150). So a second, much simpler predictor looks at the
encoder's states alone and tells the number of tokens; what gets much longer is cut.

It is linear in what states add up to, which a few hundred recordings suffice to fit.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence, Sized

import numpy as np
import numpy.typing as npt

from niwaki.arguments import array_text, check_kind, check_whole
from niwaki.errors import NiwakiError

from .tensor_file import read_tensors, write_tensors

RIDGE = 1.0  # beside features of variance 1
FOLDS = 5  # each is predicted by what the others give
SLACK = 1.0  # tokens beyond the worst mistake
SUMS = 4  # numbers that `features` makes of each of a state's


class LengthGuard:
    """Predicts the number of tokens from an encoder's states.

    Attributes:
        weights: float32 [features]; `features` says of what.
        bias: tokens.
        margin: tokens that a sequence may have beyond what is predicted.
    """

    def __init__(self, weights: npt.ArrayLike, bias: float, margin: float) -> None:
        self.weights = np.asarray(weights, np.float32)
        self.bias, self.margin = float(bias), float(margin)

    @classmethod
    def fit(cls, states: Sequence[np.ndarray], lengths: Sequence[int]) -> LengthGuard:
        """A guard from recordings whose numbers of tokens are known, by ridge regression.

        The margin is one token more than the largest number by which a recording was
        underestimated when it was left out, so that hardly anything is cut that is right.

        Args:
            states: of each recording, as `predict` takes them; a few hundred.
            lengths: the number of tokens in each.

        Raises:
            NiwakiError: there are too few, not as many of both, or they are not what is said here.
        """
        check_kind("states", states, Sized, "arrays, one of each recording")
        check_kind("lengths", lengths, Sized, "numbers, one of each recording")
        if len(states) != len(lengths) or len(states) < 2 * FOLDS:
            raise NiwakiError(
                f"a guard is fitted to the states and lengths of {2 * FOLDS} recordings or more, "
                f"not to {len(states)} and {len(lengths)}"
            )
        rows = [features(one) for one in states]
        if len({len(row) for row in rows}) > 1:
            raise NiwakiError("a guard is fitted to states of one encoder, all of one width")
        counts = lengths.tolist() if hasattr(lengths, "tolist") else lengths
        for count in counts:
            check_whole("each of lengths", count, 0)
        return cls._fit(np.stack(rows), np.array(counts, np.float64))

    @classmethod
    def _fit(cls, rows: np.ndarray, counts: np.ndarray) -> LengthGuard:
        missed = []
        for fold in range(FOLDS):
            left_out = np.arange(len(counts)) % FOLDS == fold
            weights, bias = _ridge(rows[~left_out], counts[~left_out])
            missed.append(counts[left_out] - rows[left_out] @ weights - bias)
        return cls(*_ridge(rows, counts), max(0.0, float(np.max(np.concatenate(missed)))) + SLACK)

    def predict(self, states: np.ndarray) -> float:
        """The number of tokens.

        Args:
            states: ``[1, S, C]`` or ``[S, C]``, one after the other, zeros beyond the end.

        Raises:
            NiwakiError: the guard is of another encoder, or states are not all numbers.
        """
        row = features(states)
        if len(row) != len(self.weights):
            raise NiwakiError(
                f"the guard is for states of {len(self.weights) // SUMS} numbers, and these are "
                f"{array_text(states)}: fit one to this encoder"
            )
        return float(row @ self.weights) + self.bias

    def limit(self, states: np.ndarray) -> int:
        """How many tokens a sequence may have. Arguments and errors as `predict`."""
        return max(0, math.ceil(self.predict(states) + self.margin))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the guard as safetensors.

        Raises:
            NiwakiError: the file cannot be written.
        """
        numbers = np.array([self.bias, self.margin], np.float32)
        write_tensors(path, {"weights": self.weights, "bias_and_margin": numbers})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> LengthGuard:
        """The guard in a file.

        Raises:
            NiwakiError: there is none, or it is damaged or no guard's.
        """
        tensors, name = read_tensors(path), os.fsdecode(path)
        shapes = {key: tensor.shape for key, tensor in tensors.items()}
        weights = tensors.get("weights", np.zeros(0))
        expected = {"weights": (weights.size,), "bias_and_margin": (2,)}
        if shapes != expected or not weights.size or weights.size % SUMS:
            raise NiwakiError(f"{name} is no length guard: LengthGuard.save writes one")
        if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
            raise NiwakiError(f"{name} holds numbers that are not finite: fit it anew")
        bias, margin = tensors["bias_and_margin"]
        return cls(weights, bias, margin)


def features(states: np.ndarray) -> np.ndarray:
    """What the number of tokens is linear in, float64 [SUMS x C].

    Of each number of a state its sum over time and how far it moves in all, which grow with what
    is said; its last value and its largest one, which a recurrent encoder may count in.
    """
    given = np.asarray(states)
    rows = given[0] if given.ndim == 3 and len(given) == 1 else given
    if rows.ndim != 2 or rows.dtype.kind not in "fiu":
        raise NiwakiError(
            "a length guard reads states of shape 1xSxC, one after the other, not "
            f"{array_text(given)}"
        )
    rows = rows.astype(np.float64)
    if not np.isfinite(rows).all():
        raise NiwakiError(
            "a length guard reads finite states, and these hold NaN or infinity: look at the "
            "encoder's inputs and weights"
        )
    there = np.flatnonzero(rows.any(1))
    if not len(there):
        return np.zeros(SUMS * rows.shape[1])
    rows = rows[: there[-1] + 1]
    return np.concatenate(
        [rows.sum(0), np.abs(np.diff(rows, axis=0)).sum(0), rows[-1], rows.max(0)]
    )


def _ridge(rows: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights and bias; features are scaled alike before, so that all are held back alike."""
    mean, deviation = rows.mean(0), rows.std(0) + 1e-6
    scaled = (rows - mean) / deviation
    covariance = scaled.T @ scaled + RIDGE * np.eye(scaled.shape[1])
    weights = np.linalg.solve(covariance, scaled.T @ (counts - counts.mean())) / deviation
    return weights, float(counts.mean() - mean @ weights)
