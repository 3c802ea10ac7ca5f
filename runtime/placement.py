"""Which cores a call's threads run on, where it uses all cores that the process may use.

Then three threads share two cores: two workers and the caller, who sleeps while they work. Linux
places threads badly when it wakes them there, in two ways:

- It wakes the workers while the caller still occupies a core, so that both may get the other one.
  They stay there for milliseconds, and the call takes as long as on one thread. Hence each has a
  core of its own (`topology_flags`).
- Who is woken runs before others. The last worker wakes the caller, who takes its core and waits,
  spinning, for the worker to finish telling (IREE 3.13 does so when a semaphore was signalled),
  which goes on until the core is taken from the caller: up to 5 ms. Hence callers are `polite`.

(Measured with a ResNet-50 of 14 ms on two cores, after 10 ms of sleep: 1.03 times faster than on
one thread, 1.63 times with pinned workers, 1.72 times with a polite caller too.)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CPUS = Path("/sys/devices/system/cpu")

# What `topology_flags` changes, as IREE has it.
DEFAULT_TOPOLOGY = [
    "--task_topology_group_count=0",
    "--task_topology_max_group_count=64",
    "--task_topology_nodes=current",
]


def topology_flags(threads: int) -> list[str]:
    """IREE's flags for so many workers: each on a core of its own if they take all there are.

    With cores left over Linux finds idle ones, and several networks should not crowd onto the same.
    """
    if threads != available_cores():
        return [f"--task_topology_group_count={threads}"]
    return [f"--task_topology_max_group_count={threads}", "--task_topology_nodes=all"]


def available_cores() -> int:
    """Cores that this process may use, hardware threads of one counted once; 0 if unknown."""
    if not hasattr(os, "sched_getaffinity"):
        return 0
    try:
        return len(
            {
                (_CPUS / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text()
                for cpu in os.sched_getaffinity(0)
            }
        )
    except OSError:  # containers may hide it
        return 0


@contextmanager
def polite() -> Iterator[None]:
    """Meanwhile the calling thread waits its turn when it is woken."""
    # Only where the thread has no other policy, which would be the user's choice.
    if not hasattr(os, "SCHED_BATCH") or os.sched_getscheduler(0) != os.SCHED_OTHER:
        yield
        return
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
