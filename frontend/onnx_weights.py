"""Constants of an ONNX file as numpy arrays, from bytes to bytes and never as Python numbers.

A tensor's values are raw bytes, or numbers in a field of their type, or lie in another file.
"""

from __future__ import annotations

import math
from pathlib import Path, PurePosixPath

import numpy as np
import onnx
from numpy.typing import DTypeLike

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_graph import Array, type_name

_READABLE = {
    onnx.TensorProto.FLOAT: "<f4",
    onnx.TensorProto.FLOAT16: "<f2",
    onnx.TensorProto.DOUBLE: "<f8",
    onnx.TensorProto.INT64: "<i8",
    onnx.TensorProto.INT32: "<i4",
    onnx.TensorProto.INT16: "<i2",
    onnx.TensorProto.INT8: "<i1",
    onnx.TensorProto.UINT64: "<u8",
    onnx.TensorProto.UINT32: "<u4",
    onnx.TensorProto.UINT16: "<u2",
    onnx.TensorProto.UINT8: "<u1",
    onnx.TensorProto.BOOL: "?",
}
# Of which networks may have weights that they cast to others themselves; these are no types of
# NumPy's own.
_SHORT = (
    onnx.TensorProto.BFLOAT16,
    onnx.TensorProto.FLOAT8E4M3FN,
    onnx.TensorProto.FLOAT8E4M3FNUZ,
    onnx.TensorProto.FLOAT8E5M2,
    onnx.TensorProto.FLOAT8E5M2FNUZ,
    onnx.TensorProto.FLOAT8E8M0,
)
# How many of them are in a byte.
_PACKED = {
    onnx.TensorProto.INT4: 2,
    onnx.TensorProto.UINT4: 2,
    onnx.TensorProto.FLOAT4E2M1: 2,
    onnx.TensorProto.INT2: 4,
    onnx.TensorProto.UINT2: 4,
}


def read_tensor(tensor: onnx.TensorProto, path: Path, name: str) -> Array:
    """The values of `tensor`, called `name`, of the model in file `path`.

    External data is mapped, not read: its pages come when they are used.

    Raises:
        NiwakiError: values are missing or of no supported type, or an external file is not there,
            too short, or outside of the model's folder.
    """
    shape = tuple(tensor.dims)
    if min(shape, default=0) < 0:
        raise NiwakiError(f"{path}: constant {name!r} has a negative size: the file is damaged")
    if tensor.data_type in _PACKED:
        return _unpacked(tensor, path, name)
    if tensor.data_type in _SHORT:
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    elif tensor.data_type in _READABLE:
        dtype = np.dtype(_READABLE[tensor.data_type])
    else:
        raise NiwakiError(
            f"{path}: constant {name!r} is {type_name(tensor.data_type)}, which is not supported: "
            "export the model in float32"
        )
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        return _map_file(tensor, path, name, dtype, shape)
    if tensor.float_data:
        values = _float_data(tensor)
    elif tensor.HasField("raw_data"):
        values = np.frombuffer(tensor.raw_data, np.uint8)
    else:
        values = _field_data(tensor, path, name)
    size = dtype.itemsize * math.prod(shape)
    if values.nbytes != size:
        raise NiwakiError(
            f"{path}: constant {name!r} has {values.nbytes} bytes, not {size}: the file is damaged"
        )
    return values.view(dtype).reshape(shape)


def _unpacked(tensor: onnx.TensorProto, path: Path, name: str) -> Array:
    """The values of a tensor that has several in a byte."""
    shape = tuple(tensor.dims)
    size = -(-math.prod(shape) // _PACKED[tensor.data_type])
    raw = tensor.raw_data
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raw = _map_file(tensor, path, name, np.uint8, (size,)).tobytes()
    if raw and len(raw) != size:
        raise NiwakiError(
            f"{path}: constant {name!r} has {len(raw)} bytes, not {size}: the file is damaged"
        )
    alone = onnx.TensorProto(data_type=tensor.data_type, dims=shape, int32_data=tensor.int32_data)
    if raw:
        alone.ClearField("int32_data")
        alone.raw_data = raw
    return _field_data(alone, path, name).reshape(shape)


def _field_data(tensor: onnx.TensorProto, path: Path, name: str) -> Array:
    """Numbers in a field of another type than float: few, as a rule."""
    try:
        return onnx.numpy_helper.to_array(tensor).reshape(-1)
    except ValueError as error:  # of NumPy: there are more or fewer than the shape says
        raise NiwakiError(
            f"{path}: constant {name!r} has another number of values than {list(tensor.dims)} "
            "needs: the file is damaged"
        ) from error


def _float_data(tensor: onnx.TensorProto) -> Array:
    """The field `float_data` without a Python number for each: as protobuf encodes it.

    A message with this field alone is its number and kind (one byte), a length (seven bits a
    byte, the last one below 128), the floats.
    """
    alone = onnx.TensorProto()
    alone.float_data.MergeFrom(tensor.float_data)
    encoded = np.frombuffer(alone.SerializeToString(), np.uint8)
    length = 1 + int(np.argmax(encoded[1:] < 128)) + 1
    return encoded[length:].copy()  # aligned, which the position behind a length is not


def _map_file(
    tensor: onnx.TensorProto, path: Path, name: str, dtype: DTypeLike, shape: tuple[int, ...]
) -> Array:
    """The part of another file that holds a tensor."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location, what = entries.get("location", ""), f"{path}: constant {name!r}"
    relative = PurePosixPath(location)
    folder = path.resolve().parent
    file = folder / relative
    if relative.is_absolute() or ".." in relative.parts or not _is_within(file, folder):
        raise NiwakiError(
            f"{what} lies in {location!r}, outside of the model's folder: put the file beside the "
            "model, and save the model with that name"
        )
    try:
        offset, available = int(entries.get("offset", 0)), file.stat().st_size
        size = np.dtype(dtype).itemsize * math.prod(shape)
        length = int(entries.get("length", size))
    except OSError as error:
        raise NiwakiError(
            f"{what} lies in {location!r}, which cannot be read ({error.strerror}): external data "
            f"must be in {folder}"
        ) from error
    except ValueError as error:
        raise NiwakiError(f"{what} has a bad offset or length: the file is damaged") from error
    if length != size or offset < 0:
        raise NiwakiError(f"{what} has {length} bytes at {offset}, not {size}: it is damaged")
    if offset + size > available:
        raise NiwakiError(
            f"{what} ends at byte {offset + size} of {location!r}, which has {available}: the "
            "file is truncated"
        )
    if size == 0:
        return np.empty(shape, dtype)
    return np.memmap(file, dtype, "r", offset, shape)


def _is_within(file: Path, folder: Path) -> bool:
    """Whether `file`, links followed, lies in `folder`."""
    return file.resolve().is_relative_to(folder)
