"""What every importer returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from niwaki.records import Remark
from niwaki.signature import Signature

if TYPE_CHECKING:
    from torch_mlir import ir


@dataclass(frozen=True)
class Imported:
    """A network as linalg on tensors.

    `module` holds one public function, ``func.func @main(tensor args) -> tensors``, with static
    shapes, and private ones, the bodies of its loops; its weights are ``arith.constant
    dense<...>``; an op that came from a layer has ``loc("layer1.0.conv1")``. `signature` says how
    the function's arguments and results nest in the caller's tuples, lists and dicts. `remarks`
    tell what was special about its weights, and what was left to IREE. `examples`
    are the flat inputs that a module came with; other models have none.
    """

    module: ir.Module
    signature: Signature
    remarks: Sequence[Remark] = ()
    examples: Sequence[NDArray[Any]] | None = None
