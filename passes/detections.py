"""What detection says to the zeros of weights, remembered, so that each weights are looked at once.

    reorder-kernels    constant --> detection       in another order --> detection
    detect-schemes     asks for the same again

Steps of a recurrent layer have one constant, and so one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from niwaki.schemes import CostModel, Detection, Scheme, detect
from niwaki.schemes.base import Bools


@dataclass(frozen=True)
class Question:
    """What detection depends on besides the weights."""

    groups: int
    hint: Scheme | None
    model: CostModel


@dataclass
class Detections:
    """Answers by weights: the attribute of their constant, or what else tells equal ones."""

    found: dict[Hashable, dict[Question, Detection]] = field(default_factory=dict)

    def of(self, weights: Hashable, nonzero: Callable[[], Bools], question: Question) -> Detection:
        """The scheme of `weights`, which are nonzero where ``nonzero()[F, C, T]`` is true.

        Raises:
            SchemeError: as `detect`.
        """
        answers = self.found.setdefault(weights, {})
        if question not in answers:
            answers[question] = detect(
                nonzero(), question.groups, hint=question.hint, model=question.model
            )
        return answers[question]

    def rename(self, before: Hashable, after: Hashable) -> None:
        """What was known as `before` is to be found as `after`."""
        if before in self.found:
            self.found[after] = self.found.pop(before)
