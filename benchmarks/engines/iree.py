"""IREE's own code generation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engines.base import Array, Engine, Network

if TYPE_CHECKING:
    import torch


class Iree(Engine):
    """The network as linalg on tensors, given to iree-compile with the flags that Niwaki uses.

    Imported by Niwaki's frontend, which leaves linalg's named convolutions; none of its passes run.
    """

    name = "IREE"
    distribution = "iree-base-compiler"
    file = "iree.vmfb"

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        from iree.compiler import compile_str
        from torch_mlir import ir

        from niwaki.frontend import import_torch
        from niwaki.targets import get_target

        with ir.Context() as context:
            text = str(import_torch(model, image, context).module)
        path.write_bytes(compile_str(text, extra_args=list(get_target("host").iree_flags)))

    def load(self, path: Path) -> Network:
        from iree import runtime

        config = runtime.Config("local-sync")  # runs everything on the calling thread
        module = runtime.load_vm_module(
            runtime.VmModule.mmap(config.vm_instance, str(path)), config
        )

        def call(image: Array) -> Array:
            return np.asarray(module.main(image))

        return call


class IreeTransposed(Iree):
    """The same with transposed convolutions as torch-mlir lowers them: zeros between pixels.

    Niwaki's frontend would make ordinary convolutions of them.
    """

    name = "IREE by torch-mlir"
    file = "torch-mlir.vmfb"

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        from iree.compiler import compile_str
        from torch_mlir import fx

        from niwaki.targets import get_target

        lowered = fx.export_and_import(
            model, image, output_type="linalg-on-tensors", func_name="main"
        )
        path.write_bytes(compile_str(str(lowered), extra_args=list(get_target("host").iree_flags)))
