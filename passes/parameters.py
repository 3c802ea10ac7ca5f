"""Large constants as parameters: equal ones are one, and the beginning of another is cut from it.

    %w = arith.constant dense<...> : tensor<4608xf32>
      -->
    util.global private @layer1.conv = #flow.parameter.named<"model"::"layer1.conv">
    %w = util.global.load @layer1.conv

A network for 32 words reads the first 32 rows of the table of positions that another one reads
whole: its constant becomes a slice of what that one loads.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir

from .base import Session, dense_value, function_ops, layer_name
from .control_flow import LOOPS, host_ops
from .dispatches import kernel_name

SCOPE = "model"
# Smaller constants stay in the code: a parameter costs an entry and a load.
SMALLEST_PARAMETER = 256
# Elements that tell most arrays apart.
FEW = 16

Array = npt.NDArray[Any]


def extract_parameters(module: Any, session: Session) -> None:
    """Turn large constants into parameters, and note their values."""
    ops = function_ops(module)
    looped = any(op.operation.name in LOOPS for op in host_ops(ops))
    found = [(op, array) for op in ops if (array := _value(op, looped)) is not None]
    arrays = {op.operation.attributes["value"]: array for op, array in found}
    wholes, names = beginnings(arrays), dict[Any, str]()
    body = module.regions[0].blocks[0]
    for op, _ in found:
        own = op.operation.attributes["value"]
        value = wholes.get(own, own)
        if value not in names:
            names[value] = f"{layer_name(op.location)}.{len(names)}"
            session.parameters[names[value]] = arrays[value]
            with ir.InsertionPoint.at_block_begin(body), op.location:
                _parameter(names[value], value.type)
        with ir.InsertionPoint(op), op.location:
            symbol = {"global": ir.FlatSymbolRefAttr.get(names[value])}
            loaded = ir.Operation.create("util.global.load", [value.type], [], symbol).result
            if value != own:
                loaded = _first_places(loaded, op.results[0].type)
        op.results[0].replace_all_uses_with(loaded)
        op.operation.erase()


def beginnings(arrays: Mapping[Any, Array]) -> dict[Any, Any]:
    """Keys of arrays that are the first places of a larger one, and the key of that one."""
    alike: dict[Hashable, list[Any]] = {}
    for key, array in arrays.items():
        alike.setdefault((array.dtype, _axis(array), array.shape[_axis(array) + 1 :]), []).append(
            key
        )
    found: dict[Any, Any] = {}
    for keys in alike.values():
        keys.sort(key=lambda key: -arrays[key].size)
        for number, key in enumerate(keys):
            larger = (other for other in keys[:number] if other not in found)
            whole = next((other for other in larger if _begins(arrays[other], arrays[key])), None)
            if whole is not None:
                found[key] = whole
    return found


def _axis(array: Array) -> int:
    """The first that has several places: what begins along it begins in memory, too."""
    return next((axis for axis, size in enumerate(array.shape) if size > 1), 0)


def _begins(whole: Array, part: Array) -> bool:
    first = whole.reshape(-1)[: part.size]
    flat = part.reshape(-1)
    # As bits, since NaN is not equal to itself.
    few = first[:FEW].tobytes() == flat[:FEW].tobytes()
    return few and first.tobytes() == flat.tobytes()


def _value(op: Any, looped: bool) -> Array | None:
    """What a constant holds that becomes a parameter, in a network that has loops or none."""
    array = dense_value(op.results[0]) if op.operation.name == "arith.constant" else None
    if array is None:
        return None
    value = op.operation.attributes["value"]
    # Bits and indices have no bytes of their own.
    if array.dtype == np.bool_ or value.type.element_type == ir.IndexType.get():
        return None
    if value.is_splat:
        # Equal elements cost nothing in the code. But IREE 3.13 refuses those that kernels read
        # before, in and behind a loop.
        return array if looped and _is_dispatched(op) else None
    return array if array.size >= SMALLEST_PARAMETER else None


def _is_dispatched(op: Any) -> bool:
    return any(kernel_name(use.owner) is not None for use in op.results[0].uses)


def _first_places(whole: ir.Value, kind: ir.Type) -> ir.Value:
    """The beginning of a tensor, of type `kind`."""
    sizes = ir.RankedTensorType(kind).shape
    attributes = {
        "static_offsets": ir.DenseI64ArrayAttr.get([0] * len(sizes)),
        "static_sizes": ir.DenseI64ArrayAttr.get(sizes),
        "static_strides": ir.DenseI64ArrayAttr.get([1] * len(sizes)),
        "operandSegmentSizes": ir.DenseI32ArrayAttr.get([1, 0, 0, 0]),
    }
    return ir.Operation.create("tensor.extract_slice", [kind], [whole], attributes).result


def _parameter(name: str, kind: ir.Type) -> None:
    """A global whose value comes from the bundle's weights."""
    symbol = ir.StringAttr.get(name)
    attributes = {
        "sym_name": symbol,
        "sym_visibility": ir.StringAttr.get("private"),
        "type": ir.TypeAttr.get(kind),
        "initial_value": ir.Attribute.parse(f'#flow.parameter.named<"{SCOPE}"::{symbol}> : {kind}'),
    }
    ir.Operation.create("util.global", [], [], attributes)
