"""A network that comes as an ONNX file, and engines that read it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from engines.niwaki import Niwaki
from engines.onnxruntime import OnnxRuntime
from published_files import PublishedFile
from real_files import FOLDER, fetched
from workloads import Workload

if TYPE_CHECKING:
    import onnx
    import torch


class OnnxModel:
    """The file at `path`, which has one input; called, it gives what ONNX Runtime computes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        import torch

        network = OnnxRuntime().load(self.path)
        return torch.cat([torch.from_numpy(network(image[None].numpy())) for image in images])


@dataclass(frozen=True, eq=False)  # equal if it is the same one: a file's sizes have no hash
class PublishedNetwork(Workload):
    """A published file, its layers pruned as ``niwaki prune`` does it if `rate` is not 1."""

    file: PublishedFile
    title: str
    rate: float

    @property
    def name(self) -> str:
        return f"{self.title}-{self.weights}"

    def build(self) -> tuple[Any, torch.Tensor]:
        import torch

        path = fetched(self.file)
        if self.rate != 1:
            path = _pruned(path, FOLDER / f"{self.name}.onnx", self.rate)
        ((_, *shape),) = self.file.shapes.values()
        torch.manual_seed(0)
        return OnnxModel(path), self.file.scale * torch.randn(2, *shape)


class NiwakiOfFile(Niwaki):
    """Niwaki, given the file and the size of its input."""

    def prepare(self, model: Any, image: torch.Tensor, path: Path) -> None:
        import onnx

        import niwaki

        (given,) = onnx.load(model.path).graph.input
        niwaki.compile(model.path, output=path, shapes={given.name: tuple(image.shape)})


class OnnxRuntimeOfFile(OnnxRuntime):
    """ONNX Runtime, given the file."""

    def prepare(self, model: Any, image: torch.Tensor, path: Path) -> None:
        shutil.copyfile(model.path, path)


def _pruned(dense: Path, path: Path, rate: float) -> Path:
    """Write the file `dense` to `path`, pruned.

    What is left of a weight is scaled to be as strong as the whole was: without it, and without
    training, activations would fade from layer to layer, and the outputs depend on no input.
    """
    import onnx
    from onnx import numpy_helper

    from niwaki.prune_onnx import prune_onnx
    from niwaki.pruning import PruningConfig

    prune_onnx(dense, path, PruningConfig(rate=rate))
    model = onnx.load(path)
    before = dict(_constants(onnx.load(dense)))
    for name, tensor in _constants(model):
        whole, left = (numpy_helper.to_array(constant) for constant in (before[name], tensor))
        if not np.array_equal(whole, left):
            scaled = left * (np.linalg.norm(whole) / np.linalg.norm(left))
            tensor.CopyFrom(numpy_helper.from_array(scaled.astype(left.dtype), tensor.name))
    onnx.save(model, path)
    return path


def _constants(model: onnx.ModelProto) -> Iterator[tuple[str, onnx.TensorProto]]:
    """Tensors of a file, by name."""
    for tensor in model.graph.initializer:
        yield tensor.name, tensor
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].HasField("t"):
            yield node.output[0], node.attribute[0].t
