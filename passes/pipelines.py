"""The order in which a network is compiled, by kind of target."""

from __future__ import annotations

from niwaki.targets import Target

# Layers first, so that whatever fuses afterwards sees them; then tails of one op, then longer ones
# that MLIR's own elementwise fusion has made into one.
RAISE = (
    "sparse-pattern-raise-layers",
    "sparse-pattern-fuse-epilogues",
    "linalg-fuse-elementwise-ops",
    "sparse-pattern-fuse-epilogues",
    "canonicalize",
    "cse",
)
TRIM = "sparse-pattern-trim-channels"
CHOOSE = (
    "sparse-pattern-reorder-kernels",
    "sparse-pattern-detect-schemes",
    "sparse-pattern-assign-layouts",
    "cse",
    "sparse-pattern-select-kernels",
    "sparse-pattern-compact-storage",
)
EMIT = ("canonicalize", "cse", "sparse-pattern-emit-iree")


def compile_pipeline(target: Target, trim_threshold: float = 0.0) -> str:
    """The pipeline from linalg on tensors to IREE's input for `target`.

    Weights of at most `trim_threshold` count as zero.
    """
    trim = f"{TRIM}{{threshold={trim_threshold}}}" if trim_threshold else TRIM
    lower = [f"sparse-pattern-lower-to-{target.backend}"]
    if target.backend == "gpu":
        lower.insert(0, "sparse-pattern-fit-types")
    return f"builtin.module({','.join((*RAISE, trim, *CHOOSE, *lower, *EMIT))})"
