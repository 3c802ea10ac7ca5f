"""A network as an ONNX file, which several engines read."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

FILE = "model.onnx"
INPUT = "image"


def export(model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
    """Write `model` with its weights in the same file."""
    import torch

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision's operators
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # of deprecations within PyTorch's own exporter
        torch.onnx.export(
            model, (image,), path, input_names=[INPUT], external_data=False, verbose=False
        )
