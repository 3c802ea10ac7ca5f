"""ONNX's ops on integers of one type, to the ends of the type: `integer_cases("uint32")`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx_models import Case, node

Array = NDArray[Any]

ROWS, COLUMNS = 4, 6
INDICES = np.array([[0, 3], [-1, 1]])
ALONG_ROWS = np.array([[0, 1, 2, 3, 0, 1], [3, 2, 1, 0, 3, -1]])

_OF_PAIRS = """
Add BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual Max Min Mul
Sub
"""


def numbers(dtype: str, turn: int = 0) -> Array:
    """Those where the type ends, where signed ones do, and what becomes of others as this type."""
    ends = np.iinfo(dtype)
    middle = (int(ends.max) + int(ends.min)) // 2
    edges = [ends.max, ends.min, ends.max - 1, ends.min + 1, middle, middle + 1, middle + 2]
    values = [*map(int, edges), 0, 1, 2, 3, 5, 7, 11, 100, 200, 255, 256, 1000] * 2
    bits = [value % 2**ends.bits for value in values[: ROWS * COLUMNS]]
    return np.roll(np.array(bits, np.uint64).astype(dtype), 5 * turn).reshape(ROWS, COLUMNS)


def integer_cases(dtype: str) -> Iterator[Case]:
    """All cases that ONNX has for `dtype`; their names begin with the op's."""
    yield from _elementwise(dtype)
    yield from _over_dimensions(dtype)
    yield from _moves(dtype)
    yield from _scatters(dtype)
    yield from _casts(dtype)


def _case(
    op: str,
    inputs: Mapping[str, Array],
    constants: Mapping[str, Any] | None = None,
    results: int = 1,
    **attributes: Any,
) -> Case:
    """One node, which reads all of `inputs` and then all of `constants`."""
    fixed = {name: np.asarray(value) for name, value in (constants or {}).items()}
    outputs = ["y", *(f"y{number}" for number in range(1, results))]
    return Case(op, [node(op, *inputs, *fixed, to=outputs, **attributes)], dict(inputs), fixed)


def _elementwise(dtype: str) -> Iterator[Case]:
    x, z = numbers(dtype), numbers(dtype, 1)
    for op in _OF_PAIRS.split():
        yield _case(op, {"x": x, "z": z})
    divisor = np.where(z == 0, z.dtype.type(3), z)  # a rest by zero may be 0 or the dividend
    for fmod in (0, 1):
        yield _case("Mod", {"x": x, "z": divisor}, fmod=fmod)
    yield _case("Max", {"x": x, "z": z, "w": z[:1]})
    for op in ("Abs", "BitwiseNot", "Identity", "Sign"):
        yield _case(op, {"x": x})
    if dtype == "int16":
        yield _case("Neg", {"x": x})
        yield _case("Relu", {"x": x})
    bits = np.iinfo(dtype).bits
    for direction in ("LEFT", "RIGHT"):
        for distance in (0, 1, 7, bits - 1, bits, bits + 1):
            amount = np.full(x.shape, distance, dtype)
            yield _case("BitShift", {"x": x, "n": amount}, direction=direction)
    yield _case("Clip", {"x": x, "low": z[0, 0], "high": z[0, 1]})
    yield _case("Clip", {"x": x, "low": np.array(3, dtype)})
    yield _case("Where", {"c": x > z, "x": x, "z": z})
    yield _case("Pow", {"x": x.astype(np.int64) % 7, "z": z % np.dtype(dtype).type(4)})
    yield _case("Pow", {"x": np.array([[0.5, 1.5]], np.float32), "z": np.array([[3, 2]], dtype)})


def _over_dimensions(dtype: str) -> Iterator[Case]:
    x, z = numbers(dtype), numbers(dtype, 1)
    for op in ("ArgMax", "ArgMin"):
        yield _case(op, {"x": x}, axis=1)
    yield _case("TopK", {"x": x}, {"k": [2]}, results=2)
    yield _case("TopK", {"x": x}, {"k": [3]}, results=2, axis=0, largest=0)
    yield _case("Einsum", {"x": x, "z": z}, equation="ij,kj->ik")
    yield _case("Col2Im", {"x": x[None]}, {"shape": [2, 4], "block": [1, 2]}, pads=[0] * 4)
    if dtype.endswith("16"):
        return
    yield _case("PRelu", {"x": x, "z": z})
    for op in ("ReduceL1", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"):
        yield _case(op, {"x": x}, {"axes": [1]})
    yield _case("ReduceSum", {"x": x}, keepdims=0)
    yield _case("CumSum", {"x": x}, {"axis": 1})
    yield _case("CumProd", {"x": x}, {"axis": 1})
    yield _case("MatMul", {"x": x, "z": z.T.copy()})
    small = numbers(dtype) % np.dtype(dtype).type(1000)  # the reference computes in floats
    yield _case("Gemm", {"x": small, "z": small.T.copy(), "w": small[:1, :ROWS].copy()})


def _moves(dtype: str) -> Iterator[Case]:
    x, z = numbers(dtype), numbers(dtype, 1)
    last, image = np.array(np.iinfo(dtype).max, dtype), x.reshape(1, 4, 2, 3)
    small = image % np.dtype(dtype).type(1000)  # the reference computes in floats
    for op in ("Flatten", "Transpose"):
        yield _case(op, {"x": x})
    yield _case("CenterCropPad", {"x": x}, {"shape": [2, 8]}, axes=[0, 1])
    yield _case("Concat", {"x": x, "z": z}, axis=1)
    yield _case("Concat", {"x": x}, {"fixed": z}, axis=0)
    yield _case("DepthToSpace", {"x": image}, blocksize=2)
    yield _case("Expand", {"x": x[:1]}, {"shape": [3, 1, COLUMNS]})
    yield _case("Gather", {"x": x, "i": INDICES})
    yield _case("Gather", {"x": x, "i": INDICES}, axis=1)
    yield Case("Gather", [node("Gather", "fixed", "i")], {"i": INDICES}, {"fixed": x})
    yield _case("GatherElements", {"x": x, "i": ALONG_ROWS})
    yield _case("GatherND", {"x": x, "i": INDICES[:, :1]})
    yield _case("Pad", {"x": x}, {"pads": [1, 0, 0, 2], "value": last})
    yield _case("Reshape", {"x": x}, {"shape": [COLUMNS, ROWS]})
    scales = np.array([1, 1, 2, 1.5], np.float32)
    yield _case("Resize", {"x": small}, {"": np.array([], np.float32), "s": scales}, mode="nearest")
    yield _case("ReverseSequence", {"x": x, "n": np.array([1, 2, 3, 4, 2, 1])})
    yield _case("Slice", {"x": x}, {"from": [-1], "to": [-9], "axes": [1], "steps": [-2]})
    yield _case("SpaceToDepth", {"x": x[None, None]}, blocksize=2)
    yield _case("Split", {"x": x}, {"split": [2, 4]}, results=2, axis=1)
    yield _case("Squeeze", {"x": x[:1]}, {"axes": [0]})
    yield _case("Tile", {"x": x}, {"repeats": [2, 3]})
    yield _case("Trilu", {"x": x}, {"k": 1}, upper=0)
    yield _case("Unsqueeze", {"x": x}, {"axes": [1]})
    yield _case("EyeLike", {"x": np.ones((3, 4), np.float32)}, dtype=_kind(dtype), k=1)
    yield _case("OneHot", {"i": np.array([[1, 0], [-1, 2]])}, {"depth": 3, "values": x[0, 2:4]})
    splat = onnx.numpy_helper.from_array(last.reshape(1))
    yield _case("ConstantOfShape", {}, {"shape": [2, 3]}, value=splat)


def _scatters(dtype: str) -> Iterator[Case]:
    x, z = numbers(dtype), numbers(dtype, 1)
    for reduction in ("none", "add", "mul", "max", "min"):
        rows = {"x": x, "i": np.array([[2], [0]]), "u": z[:2]}
        yield _case("ScatterND", rows, reduction=reduction)
        elements = {"x": x, "i": ALONG_ROWS, "u": z[:2]}
        yield _case("ScatterElements", elements, reduction=reduction)
    cache, new = x.reshape(1, 1, 8, 3), z[:2].reshape(1, 1, 4, 3)
    yield _case("TensorScatter", {"x": cache, "u": new, "at": np.array([3])})


def _casts(dtype: str) -> Iterator[Case]:
    """To and from each other type: integers wrap, floats are cut, bits are read as they are."""
    x, ends = numbers(dtype), np.iinfo(dtype)

    def cast(op: str, value: Array, to: str) -> Case:
        made = onnx.helper.make_node(op, ["x"], ["y"], to=_kind(to))
        return Case(f"{op} from {value.dtype} to {to}", [made], {"x": value})

    for bits in (8, 16, 32, 64):
        for other in (f"int{bits}", f"uint{bits}"):
            yield cast("Cast", x, other)
            yield cast("Cast", numbers(other), dtype)
            if bits == ends.bits:
                yield cast("BitCast", x, other)
    for other in ("bool", "float16", "float32", "float64"):
        yield cast("Cast", x, other)
        last = min(int(ends.max), 65504) if other == "float16" else int(ends.max)
        inside = [0, 1, 2.75, last // 2, last // 3, last // 2 + 1, max(int(ends.min), -300)]
        yield cast("Cast", np.array(inside, np.float32).astype(other), dtype)
    like = [node("CastLike", "f", "x")]
    yield Case("CastLike", like, {"f": np.array([1, 2.5], np.float32), "x": x})


def _kind(dtype: str) -> int:
    return int(onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
