"""From PyTorch, ONNX and MLIR files to linalg. Its own import loads neither torch nor MLIR."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from niwaki.extras import require

if TYPE_CHECKING:
    from niwaki.frontend.imported import Imported
    from niwaki.frontend.load import Model, load_model
    from niwaki.frontend.mlir_import import import_mlir
    from niwaki.frontend.onnx_import import import_onnx
    from niwaki.frontend.torch_import import import_torch

__all__ = ["Imported", "Model", "import_mlir", "import_onnx", "import_torch", "load_model"]

_HOME = {
    "Imported": "niwaki.frontend.imported",
    "Model": "niwaki.frontend.load",
    "import_mlir": "niwaki.frontend.mlir_import",
    "import_onnx": "niwaki.frontend.onnx_import",
    "import_torch": "niwaki.frontend.torch_import",
    "load_model": "niwaki.frontend.load",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("compile")
    return getattr(import_module(_HOME[name]), name)
