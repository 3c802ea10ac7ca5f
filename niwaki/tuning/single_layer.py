"""One layer of a network as a network of its own, with one kernel, ready to be measured.

    %y = "sparse_pattern.conv"(%p, %w, %bias) : (tensor<1x64x56x56xf32, #planar>, ...)
      -->
    func.func @main(%x: tensor<1x64x56x56xf32>, %bias: tensor<64xf32>) {
      %p = "sparse_pattern.convert_layout"(%x)
      %y = "sparse_pattern.conv"(%p, %w, %bias) {kernel = #sparse_pattern.gather_gemm<8, 3, 2, 8>}
      %r = "sparse_pattern.convert_layout"(%y)
      return %r
    }

The layer reads and writes the layouts it has in its network, and like there a kernel has just
written what it reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir
from torch_mlir.dialects import func

from niwaki.code_generation import iree_input
from niwaki.dialects import scheme_attr
from niwaki.passes import Session, parse_pipeline, run_pipeline
from niwaki.passes.base import TARGET_ATTRIBUTE
from niwaki.passes.choice import Candidate
from niwaki.passes.pipelines import lowering_pipeline
from niwaki.targets import get_target

NAME = "layer"
FAMILY_OF_COPIES = "copy_rows"


@dataclass(frozen=True)
class Job:
    """A layer to measure, as plain values that another machine can take.

    Attributes:
        text: IREE's input.
        parameters: arrays that the text refers to, by name.
        kernel: name of the kernel that computes the layer.
        inputs: shapes of the function's arguments, all f32.
        result: shape of what it returns, f32 too.
    """

    text: str
    parameters: dict[str, npt.NDArray[Any]]
    kernel: str
    inputs: tuple[tuple[int, ...], ...]
    result: tuple[int, ...]


def single_layer(op: Any, candidate: Candidate, target: str) -> Job:
    """The job that measures `candidate` for the layer `op`, a logical op with its layouts."""
    extras = [*op.per_filter, *op.per_position]
    plain = [plain_type(value) for value in (op.input, *extras)]
    with op.context, ir.Location.name(NAME):
        module = ir.Module.create()
        module.operation.attributes[TARGET_ATTRIBUTE] = ir.StringAttr.get(target)
        with ir.InsertionPoint(module.body):
            main = func.FuncOp("main", (plain, [plain_type(op.result)]))
        with ir.InsertionPoint(main.add_entry_block()):
            planar = [
                convert(argument, value.type)
                for argument, value in zip(main.arguments, (op.input, *extras), strict=True)
            ]
            weight = op.weight.owner.clone().results[0]
            layer = op.operation.clone()
            for index, value in enumerate([planar[0], weight, *planar[1:]]):
                layer.operands[index] = value
            layer.attributes["scheme"] = scheme_attr(candidate.scheme)
            layer.attributes["kernel"] = candidate.kernel
            func.return_([convert(layer.results[0], plain_type(op.result))])
        session = Session()
        run_pipeline(
            module.operation, parse_pipeline(lowering_pipeline(get_target(target))), session
        )
        text = iree_input(module.operation)
    (kernel,) = (name for name, family in session.kernels.items() if family != FAMILY_OF_COPIES)
    result = tuple(ir.RankedTensorType(op.result.type).shape)
    shapes = tuple(tuple(ir.RankedTensorType(kind).shape) for kind in plain)
    parameters = {name: np.array(array) for name, array in session.parameters.items()}
    return Job(text, parameters, kernel, shapes, result)


def plain_type(value: Any) -> ir.Type:
    """The type of `value` without its layout."""
    ranked = ir.RankedTensorType(value.type)
    return ir.RankedTensorType.get(ranked.shape, ranked.element_type)


def convert(value: Any, wanted: ir.Type) -> Any:
    """`value` in the layout of the type `wanted`."""
    if value.type == wanted:
        return value
    return ir.Operation.create("sparse_pattern.convert_layout", [wanted], [value]).result
