"""What makes two layers equally fast: all that a kernel's code and its work depend on."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from typing import Any

import numpy as np

from niwaki.passes.kernels.library import epilogue_key
from niwaki.passes.layers import groups_of, layer_weights
from niwaki.schemes import block_columns
from niwaki.targets import Target


def layer_signature(op: Any) -> str:
    """A layer's signature, a digest: equal for layers that take equally long with equal kernels.

    Which weights are kept may differ, how many may not, nor how many columns.
    """
    weights, scheme = layer_weights(op), op.scheme.scheme
    windows = ("strides", "dilations", "padding")
    kept = block_columns(scheme.mask(weights != 0, groups_of(op)), scheme, 8, groups_of(op))
    facts = json.dumps(
        {
            "op": op.operation.name,
            "input": str(op.input.type),
            "weights": str(op.weight.type),
            "result": str(op.result.type),
            "window": {name: str(op.attributes[name]) for name in windows if name in op.attributes},
            "groups": groups_of(op),
            "scheme": str(scheme),
            "kept": int(np.count_nonzero(weights)),
            "columns": sorted([rows, *counts] for rows, counts in kept.items()),
            "operands": [str(value.type) for value in (*op.per_filter, *op.per_position)],
            "tail": str(epilogue_key(op.epilogue.blocks[0])),
        },
        sort_keys=True,
    )
    return hashlib.sha256(facts.encode()).hexdigest()


def compiler_version() -> str:
    """Of Niwaki and of IREE, since both make the code."""
    return f"niwaki {version('niwaki')}, iree {version('iree-base-compiler')}"


def machine_name(target: Target) -> str:
    """Target and features of the CPU."""
    return " ".join((target.name, *target.architecture[:1], *target.cpu_features))
