"""Layers take the shapes of a file from which channels were removed, as torch-pruning leaves it.

Conv2d(64, 128, 3), file: [90, 48, 3, 3]   -->   Conv2d(48, 90, 3)

Sizes may only become smaller, and only where a layer has channels: a file of another network is
told by its kernels, and by layers whose tensors contradict one another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from niwaki.errors import NiwakiError

from .contents import Weights

Shape = tuple[int, ...]


def fit_layers(source: str, model: nn.Module, weights: Weights) -> bool:
    """Make layers as small as their weights in the file, and tell whether any became smaller.

    Raises:
        NiwakiError: a shape is not the network's, nor one that removed channels leave.
    """
    changes = [_fit(source, path, module, weights) for path, module in model.named_modules()]
    return any(changes)


def _fit(source: str, path: str, module: nn.Module, weights: Weights) -> bool:
    own = {**module._parameters, **module._buffers}
    names = {key: f"{path}.{key}" if path else key for key in own}
    old = {k: tuple(t.shape) for k, t in own.items() if t is not None and names[k] in weights}
    new = {key: weights[names[key]].shape for key in old}
    if old == new:
        return False
    remedy = "give the weights of this network"
    if isinstance(module, nn.MultiheadAttention):
        remedy = "no file tells how many heads are left: build the network with these sizes"
    expected = {**old, **_expected(module, old, new)}
    for key, shape in new.items():
        if shape != expected[key]:
            raise NiwakiError(
                f"{source}: {names[key]} is {list(shape)}, and the network's {list(old[key])}: "
                f"{remedy}"
            )
    key = next(key for key in new if new[key] != old[key])
    weights.remark(
        path or source,
        f"takes the file's shapes: {key} {list(new[key])} instead of {list(old[key])}",
    )
    return True


def _expected(module: nn.Module, old: dict[str, Shape], new: dict[str, Shape]) -> dict[str, Shape]:
    """What the module's shapes are with fewer channels; its sizes are set. Empty: impossible."""
    fit = next((fit for kind, fit in FITS.items() if isinstance(module, kind)), None)
    leading = new.get("weight", new.get("running_mean"))
    if fit is None or leading is None or not all(_is_smaller(old[key], new[key]) for key in old):
        return {}
    return fit(module, leading)


def _is_smaller(old: Shape, new: Shape) -> bool:
    """Whether channels alone are fewer: the first two sizes."""
    pairs = list(zip(old[:2], new[:2], strict=False))
    return len(old) == len(new) and old[2:] == new[2:] and all(0 < n <= o for o, n in pairs)


def _fit_convolution(conv: Any, weight: Shape) -> dict[str, Shape]:
    if conv.groups > 1 and conv.weight.shape[1] == 1:
        # Depthwise, perhaps with several filters a channel: the channels that are left.
        conv.groups = weight[0] * conv.groups // conv.out_channels
    conv.out_channels, conv.in_channels = weight[0], weight[1] * conv.groups
    return {"weight": weight, "bias": (conv.out_channels,)}


def _fit_transposed(conv: Any, weight: Shape) -> dict[str, Shape]:
    if conv.groups > 1 and conv.groups == conv.in_channels:
        conv.groups = weight[0]
    conv.in_channels, conv.out_channels = weight[0], weight[1] * conv.groups
    return {"weight": weight, "bias": (conv.out_channels,)}


def _fit_linear(linear: Any, weight: Shape) -> dict[str, Shape]:
    linear.out_features, linear.in_features = weight
    return {"weight": weight, "bias": weight[:1]}


def _fit_batch_norm(norm: Any, weight: Shape) -> dict[str, Shape]:
    norm.num_features = weight[0]
    return dict.fromkeys(("weight", "bias", "running_mean", "running_var"), weight)


def _fit_layer_norm(norm: Any, weight: Shape) -> dict[str, Shape]:
    norm.normalized_shape = weight
    return {"weight": weight, "bias": weight}


def _fit_group_norm(norm: Any, weight: Shape) -> dict[str, Shape]:
    norm.num_channels = weight[0]
    return {"weight": weight, "bias": weight}


def _fit_prelu(prelu: Any, weight: Shape) -> dict[str, Shape]:
    prelu.num_parameters = weight[0]
    return {"weight": weight}


def _fit_embedding(table: Any, weight: Shape) -> dict[str, Shape]:
    # Rows are words: with fewer of them it would be another network's.
    table.embedding_dim = weight[1]
    return {"weight": (table.num_embeddings, weight[1])}


# The first that fits: a transposed convolution is a convolution too. Each sets the layer's sizes
# and returns the shapes of its tensors.
FITS: dict[type[nn.Module], Callable[[Any, Shape], dict[str, Shape]]] = {
    _ConvTransposeNd: _fit_transposed,
    _ConvNd: _fit_convolution,
    nn.Linear: _fit_linear,
    _NormBase: _fit_batch_norm,
    nn.LayerNorm: _fit_layer_norm,
    nn.GroupNorm: _fit_group_norm,
    nn.PReLU: _fit_prelu,
    nn.Embedding: _fit_embedding,
}
