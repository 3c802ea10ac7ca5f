"""Pruning with PyTorch alone: schemes, methods, and training that keeps the accuracy."""

from niwaki.extras import require

require("prune")

from .admm import ADMM
from .branches import Branches
from .config import LayerRule, PruningConfig
from .config_file import load_config
from .crossbar_cost import (
    CrossbarCost,
    CrossbarHardware,
    count_tiles,
    crossbar_costs,
    total_cost,
)
from .distillation import Distillation
from .energy import (
    EnergyModel,
    EnergySearch,
    EnergySpace,
    EnergyTrial,
    LayerEnergy,
    LayerSetting,
    LayerWork,
    load_settings,
    save_settings,
    search_energy,
)
from .group_lasso import GroupLasso
from .halving import Halving, network_library
from .layers import Layer, find_layers
from .layerwise import Layerwise
from .levels import Levels
from .magnitude import Gradual, Magnitude
from .masks import Masks
from .method import METHODS, Method, parse_method
from .patterns import Pattern
from .private import mask_function, prune_without_data
from .pruner import LayerReport, Pruner
from .quantized import Quantized
from .reparameterise import add_branches, merge_branches
from .reweighted import Reweighted
from .scheme import PRUNING_SCHEMES, PruningScheme, parse_scheme
from .schemes import (
    NM,
    BlockColumnRow,
    BlockPunched,
    Channel,
    Column,
    Crossbar,
    Filter,
    KernelGroup,
    Unstructured,
)
from .search import Search
from .selection import Target, left_out, left_out_layers, select, select_layers
from .training import prune

__all__ = [
    "ADMM",
    "METHODS",
    "NM",
    "PRUNING_SCHEMES",
    "BlockColumnRow",
    "BlockPunched",
    "Branches",
    "Channel",
    "Column",
    "Crossbar",
    "CrossbarCost",
    "CrossbarHardware",
    "Distillation",
    "EnergyModel",
    "EnergySearch",
    "EnergySpace",
    "EnergyTrial",
    "Filter",
    "Gradual",
    "GroupLasso",
    "Halving",
    "KernelGroup",
    "Layer",
    "LayerEnergy",
    "LayerReport",
    "LayerRule",
    "LayerSetting",
    "LayerWork",
    "Layerwise",
    "Levels",
    "Magnitude",
    "Masks",
    "Method",
    "Pattern",
    "Pruner",
    "PruningConfig",
    "PruningScheme",
    "Quantized",
    "Reweighted",
    "Search",
    "Target",
    "Unstructured",
    "add_branches",
    "count_tiles",
    "crossbar_costs",
    "find_layers",
    "left_out",
    "left_out_layers",
    "load_config",
    "load_settings",
    "mask_function",
    "merge_branches",
    "network_library",
    "parse_method",
    "parse_scheme",
    "prune",
    "prune_without_data",
    "save_settings",
    "search_energy",
    "select",
    "select_layers",
    "total_cost",
]
