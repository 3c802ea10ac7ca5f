"""Branches for the convolutions of a network while it trains, and the network without them.

    branched = add_branches(model, example)      # computes the same
    ...                                          # train it, perhaps with the method search
    model = merge_branches(branched)             # convolutions again, which compute the same

Pruning-as-Search trains so the networks whose widths it searches (https://arxiv.org/abs/2206.01198).
New branches begin with norms of weight 0: a network that is trained already stays what it is.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from torch import nn

from niwaki.errors import NiwakiError

from .branches import Branches
from .channel_watch import watch_channels
from .layers import CONVOLUTIONS


def add_branches(model: nn.Module, example: Any) -> nn.Module:
    """A copy in which convolutions have branches; it computes the same until it is trained.

    All convolutions of more than one tap that are called once and padded by zeros take part, with
    the batch-norms behind them, which become part of the branches.

    Args:
        example: inputs of the network, several in a tuple.

    Raises:
        NiwakiError: there is no such convolution.
    """
    model = deepcopy(model)
    graph = watch_channels(model, example)
    found = False
    for unit in graph.units:
        conv = unit.module
        if not isinstance(conv, CONVOLUTIONS) or unit.calls != 1 or not _takes_branches(conv):
            continue
        norm = graph.norm_behind(conv)
        if norm is not None:
            _replace(model, norm, nn.Identity())
        _replace(model, conv, Branches(conv, norm).train(conv.training))
        found = True
    if not found:
        raise NiwakiError(
            "no convolution can have branches: it needs more than one tap and padding by zeros"
        )
    return model


def merge_branches(model: nn.Module) -> nn.Module:
    """A copy in which each `Branches` is one convolution again.

    In eval mode it computes the same, but for rounding.
    """
    model = deepcopy(model)
    if isinstance(model, Branches):
        return model.merged()
    for module in [module for module in model.modules() if isinstance(module, Branches)]:
        _replace(model, module, module.merged())
    return model


def _takes_branches(conv: nn.Module) -> bool:
    taps = conv.weight[0, 0].numel()
    return taps > 1 and conv.padding_mode == "zeros" and not isinstance(conv.padding, str)


def _replace(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    """Put `new` wherever `old` is."""
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if child is old:
                setattr(parent, name, new)
