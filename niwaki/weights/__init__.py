"""Weights as other tools store them, dense or sparse: `load_weights` reads, `module` loads.

FILE -> a reader by its ending -> dense arrays by name -> masks multiplied in

Nothing is unpickled: a file that holds Python objects is refused. A format is a file here with a
function ``read(path)`` and a line in `READERS`.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from niwaki.arguments import check_path
from niwaki.errors import NiwakiError
from niwaki.extras import require

from .contents import Weights
from .masks import multiply_masks

__all__ = ["Weights", "load_weights"]

NUMPY = "numpy_files"  # read with the base install alone
READERS = {
    ".safetensors": "safetensors",
    ".pt": "torch_files",
    ".pth": "torch_files",
    ".bin": "torch_files",
    ".ckpt": "torch_files",
    ".npz": NUMPY,
    ".npy": NUMPY,
    ".onnx": "onnx_files",
}


def load_weights(file: str | os.PathLike[str]) -> Weights:
    """The arrays in a file of weights, dense, by the names of a network's parameters.

    Reads safetensors, also those of compressed-tensors with bit masks; files of `torch.save` with
    tensors, dense or sparse; ``.npz`` and ``.npy`` of NumPy and of `scipy.sparse.save_npz`; and the
    constants of an ``.onnx`` file. A folder is read as one file. bfloat16 and float8 become
    float32; ``weight_orig`` and ``weight_mask`` of `torch.nn.utils.prune` become ``weight``.

    Args:
        file: its ending tells the format. An array without a name, as in ``.npy``, has the file's.

    Returns:
        A dict of arrays, whose `remarks` say what is special about some of them.

    Raises:
        NiwakiError: the file cannot be read, is damaged, holds no weights, or Python objects.
    """
    check_path("file", file)
    path = Path(file)
    weights = Weights()
    for part in _files(path):
        if READERS[part.suffix] != NUMPY:
            require("prune", f"reading {part} needs PyTorch")
        found = import_module(f"{__name__}.{READERS[part.suffix]}").read(part)
        for name in found:
            if name in weights:
                raise NiwakiError(f"{part}: {name} is in another file of the folder too")
        weights.update(found)
        weights.remarks += found.remarks
    if not weights:
        raise NiwakiError(f"{path}: holds no weights: save the arrays of a network's parameters")
    multiply_masks(path, weights)
    return weights


def _files(path: Path) -> list[Path]:
    """The file, or those in the folder."""
    if path.is_dir():
        return [part for part in sorted(path.iterdir()) if part.suffix in READERS]
    if path.suffix not in READERS:
        raise NiwakiError(f"{path}: weights are in a file of kind {', '.join(READERS)}")
    try:
        path.open("rb").close()
    except OSError as error:
        raise NiwakiError(f"{path}: cannot be read: {error.strerror}") from None
    return [path]
