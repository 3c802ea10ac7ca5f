"""DeepSparse, which skips weights that are zero."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from engines.base import Array, Engine, Network

if TYPE_CHECKING:
    import torch


class DeepSparse(Engine):
    """One core and one request at a time.

    Its last releases need Python 3.11 or older and numpy 1. Other schedulers gave the same times.
    """

    name = "DeepSparse"
    distribution = "deepsparse"
    file = "opset17.onnx"
    environment = "deepsparse"

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        import torch

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # this exporter is deprecated
            # The newer exporter begins with opset 18, in a version of the format that is too new
            # for DeepSparse.
            torch.onnx.export(model, (image,), path, dynamo=False, opset_version=17)

    def load(self, path: Path) -> Network:
        os.environ["NM_DISABLE_ANALYTICS"] = "True"  # no reports over the network meanwhile
        import deepsparse

        engine = deepsparse.Engine(str(path), batch_size=1, num_cores=1)

        def call(image: Array) -> Array:
            # The image has the right shape and type, so nothing needs checking.
            result: Array = engine.run([image], val_inp=False)[0]
            return result

        return call
