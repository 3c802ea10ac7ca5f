"""An order of blocks in which workgroups have equal work.

    workgroups of two blocks, columns of each block
    90 60 | 20 30 | 10 10    -->    90 10 | 60 10 | 20 30      the heaviest has 100, not 150

A workgroup takes so many neighbouring blocks of the table, whatever their columns: in a network
pruned by magnitude some keep ten times as many as others. Threads take the next workgroup when they
are free, so that one of twice the work keeps its thread busy while the others have ended.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]

# Blocks move if the heaviest workgroup has so many times the work of one of average blocks. Where
# they stay, neighbours write neighbouring planes. (Measured with 256 filters at 14x14, four blocks
# to a workgroup: two threads are 1.29 times faster than one where blocks ascend from 1 % of columns
# to 60 %, 1.58 times after moving them. In random order it makes no difference.)
UNEVEN = 1.25


def balanced(work: Ints, filters: Ints, group: int) -> Ints:
    """Numbers of blocks in the order in which groups of `group` neighbours have about equal work.

    The heaviest block goes first, each to the lightest group that has room: groups of equally many
    blocks, all of one height, differ by no more than the heaviest block (Graham 1969).

    Args:
        work: of each block.
        filters: of each block; they descend and stay so, since kernels have a loop for each height.
        group: blocks of a workgroup; the last may have fewer.
    """
    count = len(work)
    sums = np.add.reduceat(work, np.arange(0, count, group))
    if sums.max() <= UNEVEN * min(group, count) * work[filters == filters[0]].mean():
        return np.arange(count, dtype=np.int32)
    members: list[list[int]] = [[] for _ in sums]
    loads = [0] * len(sums)
    start = 0
    for _, same_height in itertools.groupby(filters.tolist()):
        stop = start + len(list(same_height))
        room = [max(0, min(stop, end + group) - max(start, end)) for end in range(0, count, group)]
        found: list[list[int]] = [[] for _ in sums]
        for block in sorted(range(start, stop), key=lambda block: -int(work[block])):
            lightest = min((at for at, free in enumerate(room) if free), key=loads.__getitem__)
            found[lightest].append(block)
            loads[lightest] += int(work[block])
            room[lightest] -= 1
        for into, blocks in zip(members, found, strict=True):
            into += sorted(blocks)
        start = stop
    return np.array(list(itertools.chain(*members)), np.int32)
