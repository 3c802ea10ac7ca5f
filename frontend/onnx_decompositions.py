"""ONNX ops that torch-mlir or IREE lacks, or gets wrong, as other ONNX ops.

DepthToSpace(x)          -->   Reshape, Transpose, Reshape     torch-mlir mixes the modes up
Softsign(x)              -->   x / (1 + |x|)
Gelu(x)                  -->   Mul, Add, Tanh or Erf           torch-mlir has tanh's to four digits
Mod(x, y) of floats      -->   the sign of x, and the rest of |x| by |y|
Pow(x, y: i64)           -->   Pow(x, Cast(y))                 onnx_powers.py
norms                    -->   means and products              onnx_norms.py
ConvTranspose by computed weights          -->   Conv           onnx_zero_stuffed.py
"""

from __future__ import annotations

import math
from collections.abc import Callable

import onnx

from niwaki.frontend.onnx_algebra import (
    affine_grid,
    cumulative_product,
    determinant,
    einsum,
    matmul_by_vector,
)
from niwaki.frontend.onnx_attention import attention
from niwaki.frontend.onnx_bits import bit_cast, bit_shift
from niwaki.frontend.onnx_casts import FLOATS, cast
from niwaki.frontend.onnx_col2im import col2im
from niwaki.frontend.onnx_fourier import dft, stft
from niwaki.frontend.onnx_functions import definition
from niwaki.frontend.onnx_graph import IMPORTED_AS, OnnxGraph, attribute
from niwaki.frontend.onnx_grid_sample import grid_sample
from niwaki.frontend.onnx_half_precision import in_float32
from niwaki.frontend.onnx_indexing import reverse_sequence, slice_, tensor_scatter
from niwaki.frontend.onnx_narrow_types import in_wide_type
from niwaki.frontend.onnx_norms import (
    group_norm,
    instance_norm,
    layer_norm,
    lp_norm,
    mean_variance_norm,
    rms_norm,
    softmax,
)
from niwaki.frontend.onnx_padding import pad
from niwaki.frontend.onnx_pooling import average_pool, global_lp_pool, lp_pool, max_pool
from niwaki.frontend.onnx_positions import gather_nd
from niwaki.frontend.onnx_powers import power
from niwaki.frontend.onnx_recurrent import recurrent
from niwaki.frontend.onnx_reductions import reduce_mean
from niwaki.frontend.onnx_resize import resize
from niwaki.frontend.onnx_scan import unroll
from niwaki.frontend.onnx_scatter import scatter_elements, scatter_nd
from niwaki.frontend.onnx_steps import Steps
from niwaki.frontend.onnx_upgrades import upgrade
from niwaki.frontend.onnx_variadic import pair_by_pair
from niwaki.frontend.onnx_zero_stuffed import stuff_with_zeros


def decompose_node(
    graph: OnnxGraph, node: onnx.NodeProto, opset: int
) -> tuple[list[onnx.NodeProto], int]:
    """The nodes to import instead of `node`, which is of `opset`, and theirs; none: `node` itself.

    The inputs of `node` have types.
    """
    if parts := upgrade(graph, node, opset):
        return parts, IMPORTED_AS
    if parts := attention(graph, node, opset):
        return parts, IMPORTED_AS
    if parts := in_float32(graph, node) or in_wide_type(graph, node, opset):
        return parts, opset
    if node.op_type == "Scan":
        steps = Steps(graph, node)
        unroll(steps)
        return steps.finished(), opset
    if node.op_type in _RULES:
        steps = Steps(graph, node)
        _RULES[node.op_type](steps)
        parts = steps.finished()
        if parts or onnx.defs.has(node.op_type, IMPORTED_AS):
            return parts, IMPORTED_AS
    if node.op_type in _BY_DEFINITION or not onnx.defs.has(node.op_type, IMPORTED_AS):
        return definition(graph, node, opset)
    return [], IMPORTED_AS


def _depth_to_space(steps: Steps) -> None:
    batch, depth, height, width = steps.input_shape()
    block = attribute(steps.node, "blocksize", 1)
    channels = depth // block**2
    if attribute(steps.node, "mode", b"DCR") == b"CRD":
        split, order = [batch, channels, block, block, height, width], [0, 1, 4, 2, 5, 3]
    else:
        split, order = [batch, block, block, channels, height, width], [0, 3, 4, 1, 5, 2]
    blocks = steps.op("Reshape", steps.node.input[0], steps.constant(split))
    sorted_ = steps.op("Transpose", blocks, perm=order)
    result = [batch, channels, height * block, width * block]
    steps.op("Reshape", sorted_, steps.constant(result))


def _space_to_depth(steps: Steps) -> None:
    batch, channels, height, width = steps.input_shape()
    block = steps.attribute("blocksize")
    height, width = height // block, width // block
    split = steps.constant([batch, channels, height, block, width, block])
    blocks = steps.op("Reshape", steps.node.input[0], split)
    order = [0, 1, 3, 5, 2, 4] if steps.attribute("mode") == "CRD" else [0, 3, 5, 1, 2, 4]
    sorted_ = steps.op("Transpose", blocks, perm=order)
    result = [batch, channels * block**2, height, width]
    steps.op("Reshape", sorted_, steps.constant(result))


def _dropout(steps: Steps) -> None:
    """Which drops nothing in inference; its mask keeps all."""
    kept = steps.op("Identity", steps.node.input[0])
    everything = steps.op("Expand", steps.constant(True, bool), steps.constant(steps.input_shape()))
    steps.results = [kept, everything]


def _softsign(steps: Steps) -> None:
    x = steps.node.input[0]
    steps.op("Div", x, steps.op("Add", steps.op("Abs", x), steps.number(1)))


def _gelu(steps: Steps) -> None:
    """x / 2 * (1 + erf(x / sqrt(2))), or with tanh(sqrt(2 / pi) * (x + 0.044715 x^3))."""
    x = steps.node.input[0]
    half = steps.op("Mul", x, steps.number(0.5))
    if attribute(steps.node, "approximate", b"none") == b"tanh":
        cube = steps.op("Mul", steps.op("Mul", x, x), x)
        inner = steps.op("Add", x, steps.op("Mul", cube, steps.number(0.044715)))
        odd = steps.op("Tanh", steps.op("Mul", inner, steps.number(math.sqrt(2 / math.pi))))
    else:
        odd = steps.op("Erf", steps.op("Mul", x, steps.number(math.sqrt(0.5))))
    steps.op("Add", steps.op("Mul", half, odd), half)


def _mod(steps: Steps) -> None:
    """The quotient may have more digits than a float: torch-mlir rounds it where it keeps signs."""
    x, y = steps.node.input
    if not steps.attribute("fmod", 0) or steps.graph.type_of(x).element not in FLOATS:
        return
    rest = steps.op("Mod", steps.op("Abs", x), steps.op("Abs", y))
    is_below = steps.op("Less", x, steps.number(0))
    steps.op("Where", is_below, steps.op("Neg", rest), rest)


# Ops that torch-mlir lacks, wholly or in some forms: as ONNX defines them.
_BY_DEFINITION = frozenset({"CastLike", "NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"})

_RULES: dict[str, Callable[[Steps], None]] = {
    "AffineGrid": affine_grid,
    "AveragePool": average_pool,
    "BitCast": bit_cast,
    "BitShift": bit_shift,
    "Cast": cast,
    "Col2Im": col2im,
    "ConvTranspose": stuff_with_zeros,
    "CumProd": cumulative_product,
    "DepthToSpace": _depth_to_space,
    "DFT": dft,
    "Det": determinant,
    "Dropout": _dropout,
    "Einsum": einsum,
    "GatherND": gather_nd,
    "Gelu": _gelu,
    "GlobalLpPool": global_lp_pool,
    "GridSample": grid_sample,
    "GRU": recurrent,
    "GroupNormalization": group_norm,
    "InstanceNormalization": instance_norm,
    "LayerNormalization": layer_norm,
    "LpNormalization": lp_norm,
    "LpPool": lp_pool,
    "LSTM": recurrent,
    "MatMul": matmul_by_vector,
    "Max": pair_by_pair,
    "MaxPool": max_pool,
    "Mean": pair_by_pair,
    "MeanVarianceNormalization": mean_variance_norm,
    "Min": pair_by_pair,
    "Mod": _mod,
    "Pad": pad,
    "Pow": power,
    "ReduceMean": reduce_mean,
    "Resize": resize,
    "ReverseSequence": reverse_sequence,
    "RMSNormalization": rms_norm,
    "RNN": recurrent,
    "ScatterElements": scatter_elements,
    "ScatterND": scatter_nd,
    "Slice": slice_,
    "STFT": stft,
    "Softmax": softmax,
    "Softsign": _softsign,
    "SpaceToDepth": _space_to_depth,
    "Sum": pair_by_pair,
    "TensorScatter": tensor_scatter,
}
