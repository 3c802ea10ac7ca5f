"""Which weights of a network can be pruned, viewed as filters x channels x taps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from niwaki.arguments import given, model_remedy
from niwaki.errors import NiwakiError
from niwaki.schemes.base import Bools, Shape, Weights

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
RECURRENT = (nn.RNNBase, nn.RNNCellBase)
ATTENTION_WEIGHTS = ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight")


@dataclass(frozen=True, eq=False)
class Layer:
    """A weight that can be pruned.

    Attributes:
        name: of the module, followed by the parameter's in modules that have several.
        kind: class of the module that uses it, e.g. ``Conv2d``.
        weight: the parameter.
        owners: modules that use it; more than one where weights are shared.
        groups: of a convolution.
        module: path of the first owner, by which the compiler's reports call it.
        transposed: whether input channels are its first axis, as in transposed convolutions.
    """

    name: str
    kind: str
    weight: nn.Parameter
    owners: tuple[nn.Module, ...]
    groups: int = 1
    module: str = ""
    transposed: bool = False

    @property
    def shape(self) -> Shape:
        """Filters, channels of a group, taps."""
        filters, channels, *kernel = self.weight.shape
        if self.transposed:
            filters, channels = channels * self.groups, filters // self.groups
        return filters, channels, math.prod(kernel)

    @property
    def is_depthwise(self) -> bool:
        """Whether each of its filters reads one channel of several."""
        return self.groups > 1 and self.shape[1] == 1

    def filters_first(self, values: Tensor) -> Tensor:
        """A tensor of the weight's shape as ``[F, C, ...]``; gradients flow through it."""
        if not self.transposed:
            return values
        return values.unflatten(0, (self.groups, -1)).transpose(1, 2).flatten(0, 1).contiguous()

    def as_stored(self, values: Tensor) -> Tensor:
        """Inverse of `filters_first`: two axes change places, and change back."""
        return self.filters_first(values)

    def array(self, values: Tensor) -> Weights:
        """A tensor of the weight's shape as ``float32[F, C, T]`` in numpy."""
        flat = self.filters_first(values.detach().to("cpu", torch.float32)).reshape(self.shape)
        array: Weights = flat.numpy()
        return array

    def tensor(self, mask: Bools) -> Tensor:
        """A mask ``bool[F, C, T]`` of numpy as a tensor beside the weight."""
        values = torch.from_numpy(mask).reshape(*self.shape[:2], *self.weight.shape[2:])
        return self.as_stored(values).to(self.weight.device)


def check_model(model: Any) -> None:
    """Raises NiwakiError where it is no module."""
    if not isinstance(model, nn.Module):
        raise NiwakiError(
            f"the model is {given(model)}, not a torch.nn.Module: {model_remedy(model)}"
        )


def find_layers(model: nn.Module) -> list[Layer]:
    """All weights that can be pruned, in the order of `named_modules`.

    Those of convolutions, also transposed ones, linear and recurrent layers, and attention, whose
    projections are called as in ``self_attn.in_proj_weight`` and ``self_attn.out_proj``. Weights
    that are computed (`torch.nn.utils.parametrize`) are none.

    Raises:
        NiwakiError: the model is no module, or a lazy module has not seen an input yet.
    """
    check_model(model)
    for name, parameter in model.named_parameters():
        if is_lazy(parameter):
            raise NiwakiError(f"{name} has no size yet: call the network once on an example")
    found: dict[int, Layer] = {}
    for path, module in model.named_modules():
        for label, weight in _weights(module):
            name = label if not path else f"{path}.{label}" if label else path
            known = found.get(id(weight))
            if known is not None:
                if all(owner is not module for owner in known.owners):
                    found[id(weight)] = replace(known, owners=(*known.owners, module))
                continue
            kind, groups = type(module).__name__, getattr(module, "groups", 1)
            transposed = isinstance(module, TRANSPOSED)
            found[id(weight)] = Layer(name, kind, weight, (module,), groups, path, transposed)
    return list(found.values())


def _weights(module: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Each weight of a module's own, and what to call it there; empty for its only one."""
    if isinstance(module, nn.MultiheadAttention):
        parameters = {key: module._parameters.get(key) for key in ATTENTION_WEIGHTS}
        # Attention reads this weight itself, and never calls the module that has it.
        parameters["out_proj"] = module.out_proj._parameters.get("weight")
    elif isinstance(module, RECURRENT):
        parameters = {k: v for k, v in module._parameters.items() if k.startswith("weight_")}
    elif isinstance(module, (*CONVOLUTIONS, *TRANSPOSED, nn.Linear)):
        parameters = {"": module._parameters.get("weight")}
    else:
        return
    for label, weight in parameters.items():
        if weight is not None and weight.numel():
            yield label, weight
