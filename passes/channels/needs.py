"""Which slices are needed, by whom: the least set that contains what is pinned and what that needs.

Needs go from filters to the channels they have weights for, and along ties in both directions: a
channel goes from a sum only if it goes from all branches.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .blocks import BLOCKS, completing_blocks
from .facts import Facts, Step, Tie, add_needs, equalize, is_made_anew, shape_of
from .layers import AXIS, channels_read

READ = "other layers read them"
CONSTANT = "a layer reads their constant and cannot add it to a bias"
EQUAL_GROUPS = "groups of a convolution stay equal"
NOT_EMPTY = "no tensor becomes empty"


def find_needs(steps: Sequence[Step], facts: Facts) -> None:
    """Fill `facts.needed`."""
    for value, axis in facts.axes.items():
        reason = facts.pins.get(value, 0)
        facts.needed[value] = np.full(shape_of(value)[axis], reason, np.int64)
    while True:
        # A list, not a generator: every step spreads its needs in each round.
        while any([_spread(step, facts) for step in (*reversed(steps), *steps)]):
            pass
        if not any([_complete(step, facts) for step in steps]):
            return


def _spread(step: Step, facts: Facts) -> bool:
    """Pass needs on between the tensors of one step; returns whether there were new ones."""
    changed = [_tie(tie, step, facts) for tie in step.ties if not is_made_anew(tie.value)]
    changed.append(step.spread(facts))
    if step.weights is None or is_made_anew(step.op.input):
        return any(changed)
    needed, known = facts.needed[step.op.input], facts.known_of(step.op.input, AXIS)
    read = channels_read(step.weights, facts.kept(step.result))
    constant = known.known & (known.values != 0)
    changed.append(add_needs(needed, read & ~constant, facts.reason(READ)))
    changed.append(add_needs(needed, read & constant, facts.reason(CONSTANT)))
    return any(changed)


def _tie(tie: Tie, step: Step, facts: Facts) -> bool:
    own, result = facts.needed[tie.value], facts.needed[step.result]
    changed = False
    for source, target, there, here in (
        (result, own, tie.result, tie.own),
        (own, result, tie.own, tie.result),
    ):
        new = (source[there] > 0) & (target[here] == 0)
        target[here[new]] = source[there[new]]
        changed |= bool(new.any())
    return changed


def _complete(step: Step, facts: Facts) -> bool:
    """Keep what nothing needs, but without which an op would not be well-formed."""
    changed = False
    for value in (step.result, *step.op.operands):
        if value in facts.needed and not facts.needed[value].any():
            facts.needed[value][0] = facts.reason(NOT_EMPTY)
            changed = True
    changed |= step.complete(facts)
    if step.weights is None:
        return changed
    own = facts.needed[step.result]
    more = completing_blocks(step.weights, own > 0)
    changed |= add_needs(own, more, facts.reason(BLOCKS))
    if step.weights.groups == 1 or is_made_anew(step.op.input):
        return changed
    # Groups that keep filters and channels keep equally many of each; others go as a whole.
    both = [facts.needed[value] for value in (step.result, step.op.input)]
    parts = [needed.reshape(step.weights.groups, -1) for needed in both]
    stays = (parts[0] > 0).any(axis=1) | (parts[1] > 0).any(axis=1)
    return equalize(parts, stays, facts.reason(EQUAL_GROUPS)) or changed
