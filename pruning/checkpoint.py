"""Checkpoints: all that training needs to go on as if it had never stopped.

They hold tensors, numbers and text alone. Reading one runs no code (`weights_only`).
"""

from __future__ import annotations

import os
import pickle
import random
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from niwaki.atomic import atomic_file, check_writable
from niwaki.errors import NiwakiError

FORMAT = "niwaki pruning 3"


def save_checkpoint(path: str | os.PathLike[str], content: Mapping[str, Any]) -> None:
    """Write the whole file or leave the one before.

    Raises:
        NiwakiError: it cannot be written.
    """
    with atomic_file(path) as file:
        torch.save({"format": FORMAT, **content}, file)


def load_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """What was saved; None where there is no such file.

    Raises:
        NiwakiError: the file cannot be read, is damaged, or is no checkpoint of pruning; or it
            could not be written.
    """
    if not Path(path).exists():
        check_writable(path)  # now, and not after the first epoch
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip() is not None  # PyTorch itself checks no sums
        content = None if damaged else torch.load(path, "cpu", weights_only=True)
    except OSError as error:
        raise NiwakiError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, pickle.UnpicklingError, RuntimeError, EOFError, ValueError):
        content = None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise NiwakiError(
            f"{path}: no checkpoint of pruning, or a damaged one: move it away to start again"
        )
    return content


def check_options(
    path: str | os.PathLike[str], saved: Mapping[str, Any], options: Mapping[str, Any]
) -> None:
    """Raises NiwakiError when the checkpoint comes from a run with other options."""
    for key in {**options, **saved}:
        before, now = saved.get(key, "left out"), options.get(key, "left out")
        if before != now:
            raise NiwakiError(
                f"{path}: comes from another run, with {key}: {before}, not {now}; give the same "
                "options, or another checkpoint file"
            )


def random_state(loader: Any) -> dict[str, Any]:
    """That of PyTorch, Python, numpy, and the loader's own generator."""
    kind, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    generator = getattr(loader, "generator", None)
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "python": random.getstate(),
        "numpy": (str(kind), [int(key) for key in keys], position, has_gauss, float(gauss)),
        "loader": None if generator is None else generator.get_state(),
    }


def set_random_state(state: Mapping[str, Any], loader: Any) -> None:
    """Go on with random numbers where `random_state` was called."""
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    np.random.set_state(state["numpy"])
    generator = getattr(loader, "generator", None)
    if generator is not None and state["loader"] is not None:
        generator.set_state(state["loader"])
