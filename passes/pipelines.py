"""The order in which a network is compiled, by kind of target."""

from __future__ import annotations

from collections.abc import Collection

from niwaki.elements import F16, F32, Element
from niwaki.errors import NiwakiError
from niwaki.targets import Target

from .base import ModulePass
from .pipeline import Step, parse_pipeline

# Before anything looks for layers: places that they can be in, and what becomes several of them, or
# others.
OUTLINE = ("sparse-pattern-outline-loops", "sparse-pattern-plain-loops")
UNROLL = "sparse-pattern-unroll-recurrent"
# Both before softmax is taken apart, and before products are taken for layers.
FIND_COMPUTED = ("sparse-pattern-raise-attention", "sparse-pattern-raise-products")
TAKE_APART = "sparse-pattern-expand-normalizations"
# Layers first, so that whatever fuses afterwards sees them; then tails of one op, then longer ones
# that elementwise fusion has made into one.
RAISE = (
    "sparse-pattern-raise-layers",
    "sparse-pattern-add-masks",
    "sparse-pattern-sink-roundings",
    "sparse-pattern-sink-reshapes",
    "sparse-pattern-fuse-epilogues",
    "sparse-pattern-cut-rows",
    "sparse-pattern-absorb-transposes",
    "sparse-pattern-fuse-elementwise",
    "sparse-pattern-fuse-epilogues",
    "sparse-pattern-part-pairs",
    "sparse-pattern-cut-concats",
    "canonicalize",
    "cse",
)
TRIM = "sparse-pattern-trim-channels"
DETECT = ("sparse-pattern-reorder-kernels", "sparse-pattern-detect-schemes")
NARROW = "sparse-pattern-narrow-elements"
CLEAN = ("canonicalize", "cse")
KEEP_PANELS = "sparse-pattern-keep-panels"
CHOOSE = (
    "sparse-pattern-assign-layouts",
    "sparse-pattern-join-copies",
    "cse",
    "sparse-pattern-select-kernels",
    KEEP_PANELS,
)
PACK = ("sparse-pattern-compact-storage",)
FUSE_POOLING = "sparse-pattern-fuse-pooling"
PAD_PRODUCTS = "sparse-pattern-pad-products"
FIT_GPU = (
    "sparse-pattern-widen-bytes",
    "sparse-pattern-fit-types",
    "sparse-pattern-part-reductions",
    "sparse-pattern-part-widening",
)
# Where nothing reads epilogues any more: what a function gives for one value is known by its name.
EXPAND = "sparse-pattern-expand-math"
KEEP_INPUTS = "sparse-pattern-keep-inputs"
EMIT = (
    "sparse-pattern-lower-slices",
    "canonicalize",
    "cse",
    "sparse-pattern-check-memory",
    "sparse-pattern-emit-iree",
)

# Without one of these the results are the same, only slower. Later passes need what others make.
OPTIONAL = (
    *FIND_COMPUTED,
    "sparse-pattern-raise-layers",
    "sparse-pattern-absorb-transposes",
    "sparse-pattern-sink-reshapes",
    "sparse-pattern-fuse-epilogues",
    "sparse-pattern-cut-rows",
    TRIM,
    "sparse-pattern-detect-schemes",
    "sparse-pattern-reorder-kernels",
    "sparse-pattern-fuse-elementwise",
    "sparse-pattern-part-pairs",
    "sparse-pattern-cut-concats",
    "sparse-pattern-join-copies",
    KEEP_PANELS,
    FUSE_POOLING,
    PAD_PRODUCTS,
)


def compile_pipeline(target: Target, trim_threshold: float = 0.0, precision: Element = F32) -> str:
    """The pipeline from linalg on tensors to IREE's input for `target`.

    Weights of at most `trim_threshold` count as zero. Layers are of type `precision`; with f32,
    those of a network of f16 are f16 where the target has such layers.
    """
    trim = f"{TRIM}{{threshold={trim_threshold}}}" if trim_threshold else TRIM
    narrow: tuple[str, ...] = ()
    if precision != F32:
        narrow = (f"{NARROW}{{element={precision.name}}}", *CLEAN)
    elif F16 in target.stores:
        narrow = (f"{NARROW}{{element={F16.name} all=false}}",)
    find = (*OUTLINE, UNROLL, *FIND_COMPUTED, TAKE_APART, *RAISE, trim, *DETECT)
    return _text(*find, *narrow, *CHOOSE, *_lower(target))


def lowering_pipeline(target: Target) -> str:
    """The part that follows the choice of kernels."""
    return _text(*_lower(target))


def leave_out(pipeline: str, names: Collection[str]) -> list[Step]:
    """The elements of `pipeline` without those called `names`.

    Raises:
        NiwakiError: the pipeline is malformed, or one of `names` is no optional pass of it.
    """
    elements = parse_pipeline(pipeline)
    present = [_name(element) for element in elements]
    for name in names:
        if name not in OPTIONAL or name not in present:
            optional = ", ".join(known for known in OPTIONAL if known in present)
            problem = "is needed" if name in present else "is not in the pipeline"
            told = f"cannot compile without pass '{name}', which {problem}"
            raise NiwakiError(f"{told}: can be left out: {optional}")
    return [element for element in elements if _name(element) not in names]


def _name(element: Step) -> str:
    return element.name if isinstance(element, ModulePass) else element.partition("{")[0].strip()


def _lower(target: Target) -> tuple[str, ...]:
    gpu = target.backend == "gpu"
    prepare = FIT_GPU if gpu else (FUSE_POOLING, PAD_PRODUCTS)
    lower = f"sparse-pattern-lower-to-{target.backend}"
    return (*PACK, *prepare, EXPAND, KEEP_INPUTS, lower, *EMIT)


def _text(*passes: str) -> str:
    return f"builtin.module({','.join(passes)})"
