"""Which weights of a network can be pruned, viewed as filters x channels x taps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from niwaki.errors import NiwakiError
from niwaki.schemes.base import Bools, Shape, Weights

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
RECURRENT = (nn.RNNBase, nn.RNNCellBase)


@dataclass(frozen=True, eq=False)
class Layer:
    """A weight that can be pruned.

    Attributes:
        name: of the module, followed by the parameter's in recurrent modules.
        kind: class of the module, e.g. ``Conv2d``.
        weight: the parameter.
        owners: modules that use it; more than one where weights are shared.
        groups: of a convolution.
    """

    name: str
    kind: str
    weight: nn.Parameter
    owners: tuple[nn.Module, ...]
    groups: int = 1

    @property
    def shape(self) -> Shape:
        """Filters, channels of a group, taps."""
        filters, channels, *kernel = self.weight.shape
        return filters, channels, math.prod(kernel)

    @property
    def is_depthwise(self) -> bool:
        """Whether each of its filters reads one channel of several."""
        return self.groups > 1 and self.weight.shape[1] == 1

    def array(self, values: Tensor) -> Weights:
        """A tensor of the weight's shape as ``float32[F, C, T]`` in numpy."""
        flat = values.detach().to("cpu", torch.float32).reshape(self.shape)
        array: Weights = flat.numpy()
        return array

    def tensor(self, mask: Bools) -> Tensor:
        """A mask ``bool[F, C, T]`` of numpy as a tensor beside the weight."""
        return torch.from_numpy(mask).reshape(self.weight.shape).to(self.weight.device)


def find_layers(model: nn.Module) -> list[Layer]:
    """Convolutions, linear layers and recurrent weights, in the order of `named_modules`.

    Transposed convolutions, and weights that are computed (`torch.nn.utils.parametrize`), are none.

    Raises:
        NiwakiError: a lazy module has not seen an input yet.
    """
    for name, parameter in model.named_parameters():
        if is_lazy(parameter):
            raise NiwakiError(f"{name} has no size yet: call the network once on an example")
    found: dict[int, Layer] = {}
    for name, module in model.named_modules():
        for label, weight in _weights(name, module):
            known = found.get(id(weight))
            owners = (*known.owners, module) if known else (module,)
            label, kind = (known.name, known.kind) if known else (label, type(module).__name__)
            found[id(weight)] = Layer(label, kind, weight, owners, getattr(module, "groups", 1))
    return list(found.values())


def _weights(name: str, module: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    parameters = module._parameters
    if isinstance(module, (*CONVOLUTIONS, nn.Linear)):
        names = ["weight"]
    elif isinstance(module, RECURRENT):
        names = [key for key in parameters if key.startswith("weight_")]
    else:
        return
    for key in names:
        weight = parameters.get(key)
        if weight is not None and weight.numel():
            yield (name if key == "weight" else f"{name}.{key}".lstrip(".")), weight
