"""What is measured: networks and chains of layers, with pruned weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import torch

    Convolution: TypeAlias = torch.nn.Conv2d | torch.nn.Conv3d

BLOCKS = "block-punched"
POINTWISE = 1  # taps of a 1x1 convolution
CALIBRATION_INPUTS = 4
CALIBRATION_SEED = 1


class Workload(ABC):
    """A network and inputs for it, the same ones in every process that builds them.

    Building needs PyTorch, which is imported then and not before.

    Attributes:
        rate: one weight in `rate` is kept.
        shape: of what is kept, a key of `masks.MASKS`.
        pointwise: the rate of 1x1 convolutions, in blocks, where they are pruned otherwise.
    """

    rate: float
    shape: str = BLOCKS
    pointwise: float | None = None

    @property
    @abstractmethod
    def name(self) -> str:
        """Names the workload among all; fit to be a folder's name."""

    @property
    def weights(self) -> str:
        """``dense``, or how few weights are kept: ``8x``, and in which shape if not in blocks."""
        return self.described.removeprefix(f"{BLOCKS} ")

    @property
    def described(self) -> str:
        """The same with its shape always: ``block-punched 8x``."""
        if self.rate == 1:
            return "dense"
        kept = f"{self.shape} {self.rate:g}x"
        return kept if self.pointwise is None else f"{kept} and 1x1 {self.pointwise:g}x"

    @abstractmethod
    def build(self) -> tuple[torch.nn.Module, torch.Tensor]:
        """The model in eval mode, and two different inputs, one after the other on axis 0."""


@dataclass(frozen=True)
class PrunedNetwork(Workload):
    """A network of `models.MODELS`, for images of the size it was published for if `size` is None.

    Each ungrouped convolution but the first keeps one weight in `rate`; the first, depthwise ones
    and the classifier stay dense, and so do filters of too few weights to keep one.
    """

    network: str
    rate: float
    size: int | None = None
    shape: str = BLOCKS
    pointwise: float | None = None

    @property
    def name(self) -> str:
        size = "" if self.size is None else f"-at-{self.size}"
        return f"{self.network}-{self.weights}{size}".replace(" ", "-")

    def build(self) -> tuple[torch.nn.Module, torch.Tensor]:
        import models

        options = {} if self.size is None else {"size": self.size}
        model, (example,) = models.MODELS[self.network](**options)
        _, *convolutions = ungrouped_convolutions(model)
        large = [found for found in convolutions if found.weight[0].numel() >= self.rate]
        return pruned(model, large, self, example.shape[1:])


@dataclass(frozen=True)
class LayerChain(Workload):
    """`depth` convolutions of the same shape, 3x3 and each with a ReLU, with weights of their own.

    In a chain, what a call costs and what an engine does to bring its input into a layout of its
    own hardly count.
    """

    filters: int
    size: int
    rate: float
    depth: int
    shape: str = BLOCKS

    @property
    def name(self) -> str:
        layer = f"{self.filters}x{self.filters}x3x3-at-{self.size}"
        return f"{layer}-{self.weights}".replace(" ", "-")

    def build(self) -> tuple[torch.nn.Module, torch.Tensor]:
        import torch
        from torch import nn

        torch.manual_seed(0)
        layers: list[nn.Module] = []
        for _ in range(self.depth):
            layers += [nn.Conv2d(self.filters, self.filters, 3, padding=1), nn.ReLU()]
        model = nn.Sequential(*layers).eval().requires_grad_(False)
        shape = (self.filters, self.size, self.size)
        return pruned(model, ungrouped_convolutions(model), self, shape)


@dataclass(frozen=True)
class TransposedLayer(Workload):
    """A transposed convolution 4x4 of stride 2, which doubles the size, as decoders have it."""

    channels: int
    filters: int
    size: int
    rate: float = 1  # nothing is pruned

    @property
    def name(self) -> str:
        return f"transposed-{self.channels}x{self.filters}x4x4-at-{self.size}-{self.weights}"

    def build(self) -> tuple[torch.nn.Module, torch.Tensor]:
        import torch
        from torch import nn

        torch.manual_seed(0)
        layer = nn.ConvTranspose2d(self.channels, self.filters, 4, stride=2, padding=1)
        shape = (self.channels, self.size, self.size)
        return pruned(layer.eval().requires_grad_(False), (), self, shape)


@dataclass(frozen=True)
class PrunedTransformer(Workload):
    """An encoder of `depth` layers as BERT has them, every matrix of weights in blocks."""

    rate: float
    depth: int = 4
    width: int = 512
    heads: int = 8
    tokens: int = 128

    @property
    def name(self) -> str:
        return f"transformer-{self.depth}x{self.width}-{self.weights}"

    def build(self) -> tuple[torch.nn.Module, torch.Tensor]:
        import torch
        from torch import nn

        torch.manual_seed(0)
        torch.backends.mha.set_fastpath_enabled(False)  # which PyTorch's older exporter has not
        layer = nn.TransformerEncoderLayer(
            self.width, self.heads, 4 * self.width, activation="gelu", batch_first=True
        )
        model = nn.TransformerEncoder(layer, self.depth, enable_nested_tensor=False)
        model.eval().requires_grad_(False)
        _prune_matrices(model, self)
        return model, torch.randn(2, self.tokens, self.width)


@dataclass(frozen=True)
class PrunedVit(Workload):
    """ViT-tiny on images of 224x224: 12 layers x 192, 197 tokens, every matrix in blocks.

    The convolution that makes patches tokens stays dense.
    """

    rate: float
    depth: int = 12

    @property
    def name(self) -> str:
        return f"vit-tiny-{self.depth}-{self.weights}"

    def build(self) -> tuple[torch.nn.Module, torch.Tensor]:
        import models
        import torch
        from vit import vit_tiny

        torch.manual_seed(0)
        model, (image,) = vit_tiny(self.depth)
        _prune_matrices(model.requires_grad_(False), self)
        return model, models.inputs(2, image.shape[1:])


@dataclass(frozen=True)
class PrunedStyle(Workload):
    """A style network on images of 256x256; its first convolution stays dense."""

    rate: float
    size: int = 256

    @property
    def name(self) -> str:
        return f"style-{self.size}-{self.weights}"

    def build(self) -> tuple[torch.nn.Module, torch.Tensor]:
        import models
        from style import style_network

        model, (image,) = style_network(self.size)
        _, *convolutions = ungrouped_convolutions(model)
        for convolution in convolutions if self.rate != 1 else ():
            _prune(convolution, self)
        return model, models.inputs(2, image.shape[1:])


def ungrouped_convolutions(model: torch.nn.Module) -> list[Convolution]:
    """In the order in which the model defines them, which is that of running for these models."""
    from torch import nn

    kinds = (nn.Conv2d, nn.Conv3d)
    return [found for found in model.modules() if isinstance(found, kinds) and found.groups == 1]


def _prune_matrices(model: torch.nn.Module, workload: Workload) -> None:
    """Keep one weight in `rate` of every matrix."""
    from masks import MASKS

    matrices = [weights.numpy() for weights in model.parameters() if weights.dim() == 2]
    for matrix in matrices if workload.rate != 1 else ():
        matrix *= MASKS[workload.shape](matrix[..., None], workload.rate)[..., 0]


def pruned(
    model: torch.nn.Module,
    convolutions: Sequence[Convolution],
    workload: Workload,
    shape: Sequence[int],
) -> tuple[torch.nn.Module, torch.Tensor]:
    """Prune `convolutions`, then calibrate: what is left must still depend on the input."""
    import models
    import torch

    torch.manual_seed(0)  # calibration draws scales and shifts of batch-norm
    if workload.rate != 1:
        for convolution in convolutions:
            _prune(convolution, workload)
    examples = models.inputs(CALIBRATION_INPUTS, shape, CALIBRATION_SEED)
    models.calibrate(model, examples)
    return model, models.inputs(2, shape)


def _prune(convolution: Convolution, workload: Workload) -> None:
    from masks import MASKS

    weights = convolution.weight.numpy()
    filters, channels = weights.shape[:2]
    kernels = weights.reshape(filters, channels, -1)
    shape, rate = workload.shape, workload.rate
    if workload.pointwise is not None and kernels.shape[2] == POINTWISE:
        shape, rate = BLOCKS, workload.pointwise
    weights *= MASKS[shape](kernels, rate).reshape(weights.shape)
