"""Arrays of NumPy, ``.npy`` and ``.npz``; and sparse matrices of SciPy, which are ``.npz`` too."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from niwaki.errors import NiwakiError

from .contents import Array, Weights
from .scipy_files import is_sparse, read_sparse


def read(path: Path) -> Weights:
    """The arrays of the file; one alone, dense or sparse, is called as the file is.

    Raises:
        NiwakiError: the file is damaged, or has pickled objects.
    """
    members = _members(path)
    if is_sparse(members):
        members = {path.stem: read_sparse(path, members)}
    return Weights(members)


def _members(path: Path) -> dict[str, Array]:
    try:
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return {path.stem: content}
            return {name: content[name] for name in content.files}
    except Exception as error:  # whatever a damaged file leads NumPy's and zip's readers to
        text = (str(error).strip().splitlines() or [""])[0]
        if text.startswith("Object arrays"):
            raise NiwakiError(
                f"{path}: holds Python objects, which run code when they are loaded: save arrays "
                "of numbers"
            ) from None
        raise NiwakiError(f"{path}: no file of NumPy, or damaged: {text[:200]}") from None
