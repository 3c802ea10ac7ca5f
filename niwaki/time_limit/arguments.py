"""What `niwaki.prune_within` is given, checked before any work is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from numbers import Real
from typing import Any

from niwaki.arguments import given
from niwaki.errors import NiwakiError
from niwaki.pruning import parse_scheme, prune
from niwaki.pruning.arguments import check_arguments
from niwaki.pruning.method import parse_method
from niwaki.pruning.rules import FINEST_FIRST
from niwaki.pruning.training import steps_of

SEARCH, RULES = "search", "rules"
MAPPINGS = (SEARCH, RULES)
LONGEST_MS = 1e12


def checked_limit(
    target_ms: float,
    mapping: str,
    schemes: Sequence[str],
    model: Any,
    train_loader: Any,
    training: Mapping[str, Any],
) -> float:
    """The limit in seconds.

    Raises:
        NiwakiError: an argument is not what it must be.
    """
    number = isinstance(target_ms, Real) and not isinstance(target_ms, bool)
    if not number or not 0 < target_ms <= LONGEST_MS:
        raise NiwakiError(f"target_ms is a number of milliseconds above 0, not {target_ms!r}")
    if mapping not in MAPPINGS:
        raise NiwakiError(f"unknown mapping {mapping!r}: choose one of {', '.join(MAPPINGS)}")
    if train_loader is None:
        raise NiwakiError("a time limit needs train_loader: gradients tell what layers can lose")
    for name in ("scheme", "rate"):
        if training.get(name) is not None:
            raise NiwakiError(f"{name} is chosen for the time limit: leave it out, or target_ms")
    if not isinstance(schemes, (list, tuple)) or not schemes:
        raise NiwakiError(f"schemes is a list, as ['pattern', 'filter'], not {given(schemes)}")
    asked = [*map(parse_scheme, schemes)]
    if mapping == RULES:
        asked = [*map(parse_scheme, FINEST_FIRST)]
    arguments = signature(prune).bind(model, train_loader, **training)
    arguments.apply_defaults()
    check_arguments(**arguments.arguments)
    steps_of(train_loader)
    for refusal in map(parse_method(arguments.arguments["method"]).refusal, asked):
        if refusal:
            raise NiwakiError(
                f"{refusal}: name schemes that it can have all of, as schemes=['pattern'] and the "
                "mapping search, or choose the method admm"
            )
    return 1e-3 * float(target_ms)
