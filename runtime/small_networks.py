"""Networks with too little work to share: one thread computes them as fast as several."""

from __future__ import annotations

from .manifest import Manifest

# Waking workers, and telling the caller that they are done, takes as long as two threads gain on
# less work than this. (Measured on two virtual cores of Zen 4 with chains of 16 layers: two threads
# take as long as one where the estimates of all layers sum up to 300 us, give or take a quarter.)
WORTH_SHARING_NS = 400_000


def useful_threads(manifest: Manifest, threads: int) -> int:
    """`threads`, or 1 where more would only cost time, as far as estimates tell."""
    estimates = [layer.estimated_ns for layer in manifest.layers]
    # Nobody has estimated what IREE's own kernels take.
    unknown = 0 in estimates or any(not run.family for run in manifest.dispatches)
    if not estimates or unknown or sum(estimates) >= WORTH_SHARING_NS:
        return threads
    return min(threads, 1)
