"""The constants of an ONNX file, dense or sparse, in it or beside it."""

from __future__ import annotations

from pathlib import Path

from niwaki.frontend.onnx_constants import take_constants
from niwaki.frontend.onnx_file import parse_onnx

from .contents import Weights


def read(path: Path) -> Weights:
    """The initializers and constants of the graph, by name.

    Raises:
        NiwakiError: the file is no ONNX model or damaged, or a constant cannot be read.
    """
    return Weights(dict(take_constants(path, parse_onnx(path).graph)))
