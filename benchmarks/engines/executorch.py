"""ExecuTorch with XNNPACK."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engines.base import Array, Engine, Network

if TYPE_CHECKING:
    import torch


class ExecuTorch(Engine):
    """The whole network handed to XNNPACK, as ExecuTorch's documents advise for CPUs.

    Inputs and results in channels-last layout gave the same times.
    """

    name = "ExecuTorch"
    distribution = "executorch"
    file = "xnnpack.pte"

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        import torch

        with _quiet():
            from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
            from executorch.exir import to_edge_transform_and_lower

            exported = torch.export.export(model, (image,))
            lowered = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
            lowered.to_executorch().save(str(path))

    def load(self, path: Path) -> Network:
        import torch

        with _quiet():
            from executorch.extension.pybindings.portable_lib import _unsafe_reset_threadpool
            from executorch.runtime import Runtime

        # It would start a thread for each core of the machine, all of them on this process's one.
        _unsafe_reset_threadpool(1)
        program = Runtime.get().load_program(path)
        method = program.load_method("forward")

        def call(image: Array) -> Array:
            result: Array = method.execute([torch.from_numpy(image)])[0].numpy()
            return result

        return call


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings of interfaces that may change and of optional libraries that are not there."""
    logging.disable(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)
