"""What makes two layers equally fast: all that a kernel's code and its work depend on."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki.dialects import RecurrentOp
from niwaki.passes.kernels.library import epilogue_key
from niwaki.passes.layers import groups_of, layer_weights
from niwaki.schemes import Scheme, block_columns
from niwaki.targets import Target

# Attributes that tell what a kernel reads; those of a recurrent layer, too.
WINDOW = ("strides", "dilations", "padding", "groups", "late", "reverse")


def layer_signature(op: Any) -> str:
    """A layer's signature, a digest: equal for layers that take equally long with equal kernels.

    Which weights are kept may differ, how many may not, nor how many columns.
    """
    return signature_with(op, layer_weights(op), op.scheme.scheme)


def signature_with(op: Any, weights: npt.NDArray[Any], scheme: Scheme) -> str:
    """That of the layer with other weights ``[F, C, T]``, in the scheme that they have."""
    kept = block_columns(scheme.mask(weights != 0, groups_of(op)), scheme, 8, groups_of(op))
    facts = {
        **geometry(op),
        "scheme": str(scheme),
        "kept": int(np.count_nonzero(weights)),
        "columns": sorted([rows, *counts] for rows, counts in kept.items()),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def geometry(op: Any) -> dict[str, Any]:
    """What a layer's time hangs on besides its weights: types, window, and the code of its tail."""
    body = op.cell if isinstance(op, RecurrentOp) else op.epilogue
    return {
        "op": op.operation.name,
        "operands": [str(value.type) for value in op.operands],
        "results": [str(value.type) for value in op.results],
        "window": {name: str(op.attributes[name]) for name in WINDOW if name in op.attributes},
        "tail": str(epilogue_key(body.blocks[0])),
    }


def compiler_version() -> str:
    """Of Niwaki and of IREE, since both make the code."""
    return f"niwaki {version('niwaki')}, iree {version('iree-base-compiler')}"


def machine_name(target: Target) -> str:
    """Target and features of the CPU."""
    return " ".join((target.name, *target.architecture[:1], *target.cpu_features))
