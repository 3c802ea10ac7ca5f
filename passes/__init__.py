"""Passes, their registry and pipelines. Importing this package registers every pass."""

from niwaki.extras import require

require("compile")

from . import (
    assign_layouts,
    check_memory,
    compact_storage,
    detect_schemes,
    emit_iree,
    expand_math,
    fit_types,
    fuse_elementwise,
    fuse_epilogues,
    fuse_pooling,
    keep_inputs,
    lower_slices,
    lower_to_cpu,
    lower_to_gpu,
    narrow_elements,
    pad_products,
    part_reductions,
    raise_layers,
    reorder_kernels,
    select_kernels,
    sink_reshapes,
    sink_roundings,
    switch_elements,
    trim_channels,
)
from .base import REGISTRY, ModulePass, PassFailure, Session
from .pipeline import parse_pipeline, pipeline_text, run_pipeline

__all__ = [
    "REGISTRY",
    "ModulePass",
    "PassFailure",
    "Session",
    "assign_layouts",
    "check_memory",
    "compact_storage",
    "detect_schemes",
    "emit_iree",
    "expand_math",
    "fit_types",
    "fuse_elementwise",
    "fuse_epilogues",
    "fuse_pooling",
    "keep_inputs",
    "lower_slices",
    "lower_to_cpu",
    "lower_to_gpu",
    "narrow_elements",
    "pad_products",
    "parse_pipeline",
    "part_reductions",
    "pipeline_text",
    "raise_layers",
    "reorder_kernels",
    "run_pipeline",
    "select_kernels",
    "sink_reshapes",
    "sink_roundings",
    "switch_elements",
    "trim_channels",
]
