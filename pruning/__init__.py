"""Pruning with PyTorch alone: schemes, methods, and training that keeps the accuracy."""

from .config import LayerRule, PruningConfig, Target, load_config, select
from .layers import Layer, find_layers
from .masks import Masks
from .patterns import Pattern
from .scheme import PRUNING_SCHEMES, PruningScheme, parse_scheme
from .schemes import (
    NM,
    BlockColumnRow,
    BlockPunched,
    Channel,
    Column,
    Filter,
    KernelGroup,
    Unstructured,
)

__all__ = [
    "NM",
    "PRUNING_SCHEMES",
    "BlockColumnRow",
    "BlockPunched",
    "Channel",
    "Column",
    "Filter",
    "KernelGroup",
    "Layer",
    "LayerRule",
    "Masks",
    "Pattern",
    "PruningConfig",
    "PruningScheme",
    "Target",
    "Unstructured",
    "find_layers",
    "load_config",
    "parse_scheme",
    "select",
]
