"""Choose a kernel for each layer: of its candidates the fastest, by estimate or by measurement.

    "sparse_pattern.conv"(%x, %w) {scheme = #sparse_pattern.block_punched<8, 64>}
      -->
    "sparse_pattern.conv"(%x, %w) {kernel = #sparse_pattern.gather_gemm<8, 3, 2, 8>,
                                   sparse_pattern.estimated_ns = 31000 : i64, ...}

A layer's zeros may be too few for its scheme: then it is computed as a dense one, with a remark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from niwaki.dialects import int_attr, scheme_attr
from niwaki.errors import NiwakiError
from niwaki.targets import Target

from .base import ModulePass, Session, constant_attribute, function_ops, target_of
from .choice import ESTIMATED_NS, MEASURED_NS, Candidate, Choice, fastest
from .families import MOST_FILTERS, MOST_VECTORS, Most, candidates, storage_of
from .layer_kinds import kind_of


@dataclass(frozen=True)
class SelectKernelsPass(ModulePass):
    """Set each layer's `kernel` attribute, and its `scheme` where another one is faster.

    Attributes:
        max_filters: of a convolution's filters so many share what they load, at most. With 1 there
            is no pattern kernel, which would have nothing to share.
        max_vectors: so many vectors of pixels share the load of a weight, at most.
        winograd: whether layers may be computed by Winograd's algorithm; not with lower numbers.

    They are for measuring what sharing and pruning gain (benchmarks/ablation.py, scaling.py); by
    default nothing is lower.
    """

    name: ClassVar[str] = "sparse-pattern-select-kernels"
    max_filters: int = MOST_FILTERS
    max_vectors: int = MOST_VECTORS
    winograd: bool = True

    def __post_init__(self) -> None:
        if min(self.max_filters, self.max_vectors) < 1:
            raise NiwakiError(f"pass '{self.name}' needs max-filters and max-vectors of 1 or more")

    def run(self, module: Any, session: Session) -> None:
        target, most = target_of(module), Most(self.max_filters, self.max_vectors, self.winograd)
        ops = [op for op in function_ops(module) if has_kernel(op)]
        agreed = session.agreements.storages
        layers = [(op, self._candidates(op, target, most, session)) for op in ops]
        for choose, is_alone in ((session.choose or fastest, True), (fastest, False)):
            chosen = [(op, found) for op, found in layers if runs_alone(op) == is_alone]
            for (op, found), choice in zip(chosen, choose(chosen), strict=True):
                if choice.candidate.scheme != op.scheme.scheme:
                    self.remark(session, op, computed_as_dense(op, found, choice))
                apply(op, choice)
                agreed.setdefault(constant_attribute(op.weight), storage_of(choice.candidate))

    def _candidates(self, op: Any, target: Target, most: Most, session: Session) -> list[Candidate]:
        """Candidates of a layer; those that can share its weights, if they are stored already."""
        agreed = session.agreements.storages.get(constant_attribute(op.weight))
        found = candidates(op, target, most, agreed)
        if agreed is None:
            return found
        sharing = [candidate for candidate in found if storage_of(candidate) == agreed]
        if not sharing:
            self.remark(session, op, "weights are stored again: no kernel reads them as they are")
        return sharing or found


def has_kernel(op: Any) -> bool:
    """Whether an op is a layer whose kernel can be chosen now."""
    kind = kind_of(op)
    return kind is not None and kind.has_kernels(op)


def runs_alone(op: Any) -> bool:
    """Whether a layer can be measured in a network of its own."""
    kind = kind_of(op)
    return kind is not None and kind.runs_alone


def apply(op: Any, choice: Choice) -> None:
    """Note a choice in a layer's attributes."""
    op.attributes["scheme"] = scheme_attr(choice.candidate.scheme)
    op.attributes["kernel"] = choice.candidate.kernel
    for name, seconds in ((ESTIMATED_NS, choice.candidate.seconds), (MEASURED_NS, choice.measured)):
        if seconds:
            op.attributes[name] = int_attr(round(1e9 * seconds))


def computed_as_dense(op: Any, found: Sequence[Candidate], choice: Choice) -> str:
    """Why a layer's scheme was dropped, with the times that decided."""
    scheme = op.scheme.scheme
    sparse = min(candidate.seconds for candidate in found if candidate.scheme == scheme)
    times = f"{1e6 * sparse:.3g} us, dense {1e6 * choice.candidate.seconds:.3g} us"
    told = f"computed as {choice.candidate.scheme}: {scheme} is estimated to take {times}"
    return told if not choice.measured else f"{told}, measured {1e6 * choice.measured:.3g} us"
