"""Ops of ours as ops of PyTorch: rules of the decomposition table call them.

    define("normalize", 3, lambda _, x, *__: [x])          niwaki::normalize is known
    own_op("normalize", [x, weight, None], {"eps": eps})   a rule's result instead of PyTorch's ops

`set_aside` takes them through torch-mlir.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

# Gets options and tensors, some of them None, and gives tensors of the results' shapes and types.
Results = Callable[..., Sequence[torch.Tensor]]

_LIBRARY = torch.library.Library("niwaki", "DEF")


def define(name: str, tensors: int, results: Results, count: int = 1) -> None:
    """Make `niwaki::NAME` known, which takes `tensors` tensors, each of which may be missing.

    It has `count` results.
    """
    taken = ", ".join(f"Tensor? operand_{number}" for number in range(tensors))
    given = ", ".join(["Tensor"] * count)
    _LIBRARY.define(f"{name}({taken}, str options) -> ({given})")

    def fake(*operands: Any) -> Any:
        *given, options = operands
        found = [torch.empty_like(one) for one in results(json.loads(options), *given)]
        return found[0] if count == 1 else tuple(found)

    torch.library.register_fake(f"niwaki::{name}", fake, lib=_LIBRARY)


def own_op(
    name: str, tensors: Sequence[torch.Tensor | None], options: Mapping[str, Any]
) -> torch.Tensor | tuple[torch.Tensor, ...]:
    """A call of `niwaki::NAME`."""
    result: torch.Tensor | tuple[torch.Tensor, ...] = getattr(torch.ops.niwaki, name)(
        *tensors, json.dumps(dict(options))
    )
    return result
