"""Inputs and outputs of a network as NumPy's files, for the command line."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from .atomic import atomic_file
from .errors import NiwakiError
from .signature import TensorSpec


def load_array(path: str) -> np.ndarray:
    """The array in an ``.npy`` file.

    Pickled objects are refused, because unpickling them runs whatever code they hold.

    Raises:
        NiwakiError: no such file, or it holds no plain array.
    """
    try:
        with open(path, "rb") as file:
            array = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        raise NiwakiError(f"{path} does not exist") from None
    except OSError as error:
        raise NiwakiError(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, EOFError, MemoryError, zipfile.BadZipFile):
        raise NiwakiError(
            f"{path} is no .npy file of a plain array; write it with numpy.save"
        ) from None
    if not isinstance(array, np.ndarray):
        raise NiwakiError(f"{path} holds several arrays; give one --input FILE.npy for each")
    return array


def load_inputs(paths: Sequence[str], inputs: Sequence[TensorSpec]) -> list[np.ndarray]:
    """The arrays of a network's inputs, one ``.npy`` file for each, in order.

    Raises:
        NiwakiError: the number of files does not fit, or as `load_array`.
    """
    if len(paths) != len(inputs):
        raise NiwakiError(
            f"the network has {_listed(inputs, 'input')}: give as many --input FILE.npy, in order"
        )
    return [load_array(path) for path in paths]


def output_files(
    paths: Sequence[str], outputs: Sequence[TensorSpec]
) -> Callable[[Sequence[np.ndarray]], None]:
    """A function that saves the outputs: one ``.npy`` for each, or one ``.npz`` of all by name.

    Without paths it saves nothing. Made before the network runs, so that a wrong number or name
    is told at once.

    Raises:
        NiwakiError: a path ends otherwise, or their number does not fit.
    """
    for path in paths:
        if Path(path).suffix not in (".npy", ".npz"):
            raise NiwakiError(
                f"cannot write {path}: name it .npy (one output) or .npz (all outputs)"
            )
    if len(paths) == 1 and paths[0].endswith(".npz"):
        return lambda arrays: _save_npz(paths[0], outputs, arrays)
    if paths and (len(paths) != len(outputs) or any(path.endswith(".npz") for path in paths)):
        raise NiwakiError(
            f"the network has {_listed(outputs, 'output')}: "
            "give as many --output FILE.npy, or one --output FILE.npz for all"
        )
    return lambda arrays: _save_npy(paths, arrays)


def _save_npy(paths: Sequence[str], arrays: Sequence[np.ndarray]) -> None:
    # Zip stops at the shorter: without paths, nothing is saved.
    for path, array in zip(paths, arrays, strict=False):
        with atomic_file(path) as file:
            np.save(file, array, allow_pickle=False)


def _save_npz(path: str, outputs: Sequence[TensorSpec], arrays: Sequence[np.ndarray]) -> None:
    # Not `numpy.savez`, which takes the names as keywords and so cannot save one called "file".
    with atomic_file(path) as file, zipfile.ZipFile(file, "w") as archive:
        for spec, array in zip(outputs, arrays, strict=True):
            with archive.open(f"{spec.name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _listed(specs: Sequence[TensorSpec], noun: str) -> str:
    """For example ``2 outputs (boxes, scores)``."""
    names = ", ".join(spec.name for spec in specs)
    return f"{len(specs)} {noun}{'' if len(specs) == 1 else 's'} ({names})"
