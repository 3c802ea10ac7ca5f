"""Schemes of sparsity in plain Python and numpy: what each keeps, how it is found and packed.

A scheme is one file here: a frozen dataclass that derives from `Scheme`, decorated with `register`.
Importing it below makes it known to detection and to `get_scheme`.
"""

from .base import SCHEMES, Scheme, SchemeError, get_scheme, register
from .block_punched import BlockPunched, block_punched_mask
from .channel import Channel
from .dense import Dense
from .detect import CostModel, Detection, detect
from .pack import PackedBlocks, pack, unpack
from .unstructured import Unstructured

__all__ = [
    "SCHEMES",
    "BlockPunched",
    "Channel",
    "CostModel",
    "Dense",
    "Detection",
    "PackedBlocks",
    "Scheme",
    "SchemeError",
    "Unstructured",
    "block_punched_mask",
    "detect",
    "get_scheme",
    "pack",
    "register",
    "unpack",
]
