"""A network with the weights of a file, in a copy: as `load_state_dict` does it, strictly.

Names must be the network's, but for a prefix (`names`), and so must shapes, but for channels that
were removed (`shapes`).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils import _pytree as pytree

from niwaki.arguments import given as text_of
from niwaki.errors import NiwakiError
from niwaki.frontend.module_rules import check_model, positional
from niwaki.frontend.trial_run import failure
from niwaki.module_copy import copy_module
from niwaki.records import Remark

from . import load_weights
from .contents import Array, Weights
from .masks import MASK, ORIGINAL, multiply_masks
from .names import matched
from .shapes import fit_layers
from .torch_files import dense_array

SHOWN = 4  # names in a message
COUNTER = "num_batches_tracked"  # of calls in training: results do not depend on it


def with_weights(
    model: Any,
    weights: Mapping[str, Any] | str | os.PathLike[str],
    inputs: Any,
    kwargs: Mapping[str, Any],
) -> tuple[nn.Module, list[Remark]]:
    """A copy of the network with these weights, and what is to be said about them.

    Args:
        weights: arrays by name, as `load_weights` gives them, or a file of them.
        inputs, kwargs: examples, which a network of other shapes must take.

    Raises:
        NiwakiError: names, shapes or element types do not fit, or as `load_weights`.
    """
    if isinstance(weights, Mapping):
        source, found = "weights", _arrays(weights)
    else:
        source, found = os.fspath(weights), load_weights(weights)
    check_model(model)
    if not isinstance(model, nn.Module):
        raise NiwakiError(
            f"{source}: the model is an exported program, which has its weights: give the "
            "torch.nn.Module that it was made of"
        )
    dense, model = model, copy_module(model)
    wanted = model.state_dict(keep_vars=True)
    found = matched(source, found, wanted)
    _split_masks(found, wanted)
    _check_names(source, found, wanted)
    changed = fit_layers(source, model, found)
    made: dict[int, torch.Tensor] = {}  # weights that layers share stay shared
    for name, old in wanted.items():
        if name in found:
            value = _tensor(source, name, found[name], old)
            parameter = isinstance(old, nn.Parameter)
            made[id(old)] = nn.Parameter(value, old.requires_grad) if parameter else value
    for name, old in wanted.items():
        if id(old) in made:
            _set(model, name, made[id(old)])
    if changed:
        _check_results(source, dense, model, positional(inputs), kwargs)
    return model, found.remarks


def _arrays(given: Mapping[str, Any]) -> Weights:
    weights = Weights()
    for name, value in given.items():
        if not isinstance(value, (np.ndarray, torch.Tensor)):
            raise NiwakiError(f"weights: {name} is {text_of(value)}, not an array")
        tensor = isinstance(value, torch.Tensor)
        weights[str(name)] = dense_array(f"weights: {name}", value) if tensor else value
    weights.remarks = list(getattr(given, "remarks", []))
    multiply_masks(Path("weights"), weights)
    return weights


def _split_masks(found: Weights, wanted: Collection[str]) -> None:
    """For a network with masks of `torch.nn.utils.prune`: the weight, and where it is not 0."""
    for name in [name for name in found if name + ORIGINAL in wanted and name + MASK in wanted]:
        weight = found.pop(name)
        found[name + ORIGINAL], found[name + MASK] = weight, weight != 0


def _check_names(source: str, found: Weights, wanted: Mapping[str, torch.Tensor]) -> None:
    shared = {id(wanted[name]) for name in found if name in wanted}
    missing = [name for name, old in wanted.items() if name not in found and id(old) not in shared]
    missing = [name for name in missing if not name.endswith(COUNTER)]
    strange = [name for name in found if name not in wanted and not name.endswith(COUNTER)]
    if not missing and not strange:
        return
    told = [f"lacks {_some(missing)}"] if missing else []
    told += [f"has {_some(strange)}, which the network has not"] if strange else []
    remedy = "give the weights of this network, all of them"
    if any(name.endswith(("_scale", "_packed", "_zero_point")) for name in strange):
        remedy = "quantised weights are not supported: give float ones"
    raise NiwakiError(f"{source}: {' and '.join(told)}: {remedy}")


def _check_results(
    source: str, dense: nn.Module, model: nn.Module, inputs: tuple[Any, ...], kwargs: Any
) -> None:
    """Layers that became smaller must fit one another, and the network give what it gave."""
    if problem := failure(model, inputs, kwargs):
        raise NiwakiError(
            f"{source}: its shapes do not fit one another: {problem}: give the weights of this "
            "network"
        )
    if any(parameter.is_meta for parameter in dense.parameters()):
        return  # it cannot run
    with torch.no_grad():
        results = [net(*inputs, **kwargs) for net in (dense, model)]
    before, after = (
        [list(leaf.shape) for leaf in pytree.tree_leaves(result) if isinstance(leaf, torch.Tensor)]
        for result in results
    )
    if before != after:
        raise NiwakiError(
            f"{source}: with its shapes the network gives {after} instead of {before}: give the "
            "weights of this network"
        )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _tensor(source: str, name: str, array: Array, like: torch.Tensor) -> torch.Tensor:
    """The array with the element type that the network has there."""
    if array.dtype.kind not in "fiub":
        raise NiwakiError(f"{source}: {name} is {array.dtype}: weights are numbers, not complex")
    tensor = torch.from_numpy(np.array(array, order="C"))  # a copy: files may be mapped
    cast = tensor.to(like.dtype)
    widens = tensor.is_floating_point() and like.is_floating_point()
    finite = bool((cast.isfinite() == tensor.isfinite()).all())
    if not finite if widens else not bool((cast.to(tensor.dtype) == tensor).all()):
        kinds = [str(dtype).removeprefix("torch.") for dtype in (tensor.dtype, like.dtype)]
        raise NiwakiError(
            f"{source}: {name} is {kinds[0]}, and the network's {kinds[1]} cannot hold its values: "
            "store it in that type"
        )
    return cast


def _set(model: nn.Module, name: str, value: torch.Tensor) -> None:
    path, _, key = name.rpartition(".")
    owner = model.get_submodule(path)
    # Not into `_parameters`: recurrent modules have a list of their weights besides.
    setattr(owner, key, value)
