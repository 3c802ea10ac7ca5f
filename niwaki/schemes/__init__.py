"""Schemes of sparsity in plain Python and numpy: what each keeps, how it is found and packed.

A scheme is one file here: a frozen dataclass that derives from `Scheme`, decorated with `register`.
Importing it below makes it known to detection and to `get_scheme`.
"""

from .base import SCHEMES, Scheme, SchemeError, get_scheme, register
from .bcrc import BCRC, pack_bcrc, unpack_bcrc
from .block_column_row import BlockColumnRow, block_column_row_mask
from .block_punched import BlockPunched, block_punched_mask
from .channel import Channel, channel_mask, filter_mask
from .dense import Dense
from .detect import CostModel, Detection, detect, estimate, percent
from .fkw import FKW, pack_fkw, unpack_fkw
from .kernel_group import kernel_group_mask
from .kernel_sample import sample
from .n_m import NM, n_m_mask
from .pack import PackedBlocks, block_columns, pack, unpack
from .pattern import Pattern, natural_library, pattern_mask
from .pattern_groups import PatternGroups, group_patterns, ungroup_patterns
from .similarity import similar_order
from .unstructured import Unstructured, unstructured_mask

__all__ = [
    "BCRC",
    "FKW",
    "NM",
    "SCHEMES",
    "BlockColumnRow",
    "BlockPunched",
    "Channel",
    "CostModel",
    "Dense",
    "Detection",
    "PackedBlocks",
    "Pattern",
    "PatternGroups",
    "Scheme",
    "SchemeError",
    "Unstructured",
    "block_column_row_mask",
    "block_columns",
    "block_punched_mask",
    "channel_mask",
    "detect",
    "estimate",
    "filter_mask",
    "get_scheme",
    "group_patterns",
    "kernel_group_mask",
    "n_m_mask",
    "natural_library",
    "pack",
    "pack_bcrc",
    "pack_fkw",
    "pattern_mask",
    "percent",
    "register",
    "sample",
    "similar_order",
    "ungroup_patterns",
    "unpack",
    "unpack_bcrc",
    "unpack_fkw",
    "unstructured_mask",
]
