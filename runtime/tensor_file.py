"""Small safetensors files of float32, without the package, which the base install lacks.

    header's length (u64, little-endian), header (JSON), values

    {"weights": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}

https://huggingface.co/docs/safetensors describes the format.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from niwaki.arguments import check_path
from niwaki.atomic import atomic_file
from niwaki.errors import NiwakiError

LENGTH = 8  # bytes of the header's length
KIND = "<f4"
METADATA = "__metadata__"  # strings of whoever wrote the file


def write_tensors(path: str | os.PathLike[str], tensors: Mapping[str, np.ndarray]) -> None:
    """Write float32 arrays by name. The file appears whole or not at all.

    Raises:
        NiwakiError: it cannot be written.
    """
    check_path("path", path)
    header, end = {}, 0
    for name, tensor in tensors.items():
        begin, end = end, end + 4 * tensor.size
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": (begin, end)}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % LENGTH)  # values begin at a multiple of 8
    with atomic_file(path) as file:
        file.write(len(text).to_bytes(LENGTH, "little") + text)
        for tensor in tensors.values():
            file.write(tensor.astype(KIND).tobytes())


def read_tensors(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The float32 arrays of a file, by name.

    Raises:
        NiwakiError: there is no such file, it is damaged, or of other element types.
    """
    check_path("path", path)
    name = os.fsdecode(path)
    try:
        with open(name, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise NiwakiError(f"{name} does not exist") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in its name
        reason = getattr(error, "strerror", None) or error
        raise NiwakiError(f"cannot read {name}: {reason}") from None
    begin = LENGTH + int.from_bytes(content[:LENGTH], "little")
    try:
        header = json.loads(content[LENGTH:begin])
    except (ValueError, RecursionError):
        header = None
    if len(content) < begin or not isinstance(header, dict):
        raise NiwakiError(f"{name} is no safetensors file, or damaged: it has no header")
    header.pop(METADATA, None)
    values = content[begin:]
    tensors = {one: _tensor(name, one, entry, values) for one, entry in header.items()}
    if sum(tensor.nbytes for tensor in tensors.values()) != len(values):
        raise NiwakiError(f"{name} is damaged: its header does not tell what all its values are")
    return tensors


def _tensor(path: str, name: str, entry: Any, values: bytes) -> np.ndarray:
    entry = entry if isinstance(entry, dict) else {}
    shape, offsets = entry.get("shape"), entry.get("data_offsets")
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        raise NiwakiError(f"{path} is damaged: '{name}' needs a shape and data_offsets")
    if entry.get("dtype") != "F32":
        raise NiwakiError(f"{path}: '{name}' is not of dtype F32: store it as float32")
    begin, end = offsets
    if end > len(values) or end - begin != 4 * math.prod(shape):
        raise NiwakiError(f"{path} is damaged: '{name}' is not as large as its shape")
    try:
        return np.frombuffer(values[begin:end], KIND).astype(np.float32).reshape(shape)
    except ValueError:  # nothing of it, but more dimensions or sizes than an array can have
        raise NiwakiError(f"{path} is damaged: '{name}' has a shape of no array") from None


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(one) is int and 0 <= one < 2**31 for one in value)
