"""Products of two computed matrices; nothing is chosen for them."""

from __future__ import annotations

import math
from typing import Any

from niwaki.dialects import Values
from niwaki.elements import F32
from niwaki.records import LayerRecord
from niwaki.targets import Target, Vector

from ..base import layer_name
from ..cost import overlapped
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..kernels.products import Product, Steps, product_kernel
from ..views import View, view_of, whole
from .base import WORKGROUPS, Family


class ProductFamily(Family):
    """Kernels of a `product`."""

    arrays = Values

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Of a `product`."""
        operands = Operands(
            input=view_of(op.input).source,
            arrays=Values(factor_of(op).source),
            per_filter=list(op.per_filter),
            per_position=list(op.per_position),
        )
        return product_kernel(seen_by_kernel(op, target), op.epilogue.blocks[0]), operands

    def record(self, op: Any, target: Target) -> LayerRecord:
        """It has no weights, but multiplies."""
        product, core = seen_by_kernel(op, target), target.cpu_core
        multiply_adds = product.batch * product.rows * product.depth * product.columns
        tensors = (op.input, op.factor, *op.per_position, op.result)
        moved = sum(F32.bytes * math.prod(value.type.shape) for value in tensors)
        cycles = multiply_adds / product.lanes / core.multiply_adds
        seconds = overlapped(cycles, moved / core.bandwidth[moved > core.cache[1]]) / core.clock
        return LayerRecord(
            name=layer_name(op.location),
            op="product",
            scheme="",
            kernel=f"product {product.height}x{product.vectors}",
            kept=0,
            weights=0,
            packed_bytes=0,
            dense_bytes=0,
            activation_bytes=moved,
            estimated_ns=round(1e9 * seconds),
            multiply_adds=multiply_adds,
        )


def seen_by_kernel(op: Any, target: Target) -> Product:
    """A product as its kernel sees it."""
    batch, rows, depth = op.input.type.shape
    columns, vector = op.factor.type.shape[2], target.vector(F32)
    height, vectors = block_of(vector)
    tiles = batch * -(-columns // (vectors * vector.lanes))
    groups = min(-(-rows // height), -(-WORKGROUPS // tiles))
    return Product(
        batch=batch,
        rows=rows,
        depth=depth,
        columns=columns,
        input=steps_of(view_of(op.input)),
        factor=steps_of(factor_of(op)),
        height=height,
        vectors=vectors,
        together=-(-rows // (groups * height)) * height,
        lanes=vector.lanes,
        number_lanes=vector.weight_lanes,
    )


def factor_of(op: Any) -> View:
    """What is read for the second matrix: where it lies, if its rows or its columns are whole."""
    view = view_of(op.factor)
    _, depth, columns = view.dims
    side_by_side = 1 in (depth[1], columns[1]) or 1 in (depth[0], columns[0])
    return view if side_by_side else whole(op.factor)


def steps_of(view: View) -> Steps:
    """Strides of a batch of matrices."""
    batch, row, column = view.strides
    return Steps(batch, row, column, view.first)


def block_of(vector: Vector) -> tuple[int, int]:
    """Rows and vectors of a register block: sums, a number of each row, and vectors of columns."""
    if vector.weight_lanes > 1:
        rows = vector.weight_lanes
        return rows, (vector.registers - rows) // (rows + 1)
    return vector.block
