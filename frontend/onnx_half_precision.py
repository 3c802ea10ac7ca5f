"""ONNX nodes of several steps on float16 in float32, as ONNX Runtime computes them.

    y = ReduceSum(x)      -->      y = Cast(ReduceSum(Cast(x)))        x, y: float16

IREE adds float16 in float16: a sum stagnates from 2,048 equal values on, and squares of 256 are
infinite. Weights become float32, so layers of float16 get kernels.
"""

from __future__ import annotations

import numpy as np
import onnx

from niwaki.frontend.onnx_graph import OnnxGraph
from niwaki.frontend.onnx_steps import Steps

# Behind the name of a constant: the same in float32.
WIDENED = "::float32"

_SUMS = (
    "Attention", "AveragePool", "BatchNormalization", "CausalConvWithState", "Col2Im", "Conv",
    "ConvTranspose", "CumProd", "CumSum", "DFT", "Det", "Einsum", "GRU", "Gemm",
    "GlobalAveragePool", "GlobalLpPool", "GridSample", "GroupNormalization",
    "InstanceNormalization", "LRN", "LSTM", "LayerNormalization", "LinearAttention", "LogSoftmax",
    "LpNormalization", "LpPool", "MatMul", "Mean", "MeanVarianceNormalization", "RMSNormalization",
    "RNN", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMean", "ReduceProd",
    "ReduceSum", "ReduceSumSquare", "Resize", "RotaryEmbedding", "STFT", "Softmax", "Sum",
)  # fmt: skip
_FORMULAS = (
    "Celu", "Elu", "Gelu", "HardSigmoid", "HardSwish", "Mish", "Mod", "Selu", "Sigmoid", "Softplus",
    "Softsign", "SwiGLU", "Swish",
)  # fmt: skip
_IN_FLOAT32 = frozenset((*_SUMS, *_FORMULAS))


def in_float32(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """The nodes that compute `node` in float32; none where it stays as it is."""
    halves = {name for name in node.input if name and _is_half(graph, name)}
    if node.op_type not in _IN_FLOAT32 or not halves:
        return []
    steps = Steps(graph, node)
    wide = {name: _widened(steps, name) for name in halves}
    made = onnx.NodeProto()
    made.CopyFrom(node)
    made.input[:] = [wide.get(name, name) for name in node.input]
    steps.nodes.append(made)
    # Statistics of layer norm are float32 in any case.
    rounded = 1 if node.op_type == "LayerNormalization" else len(node.output)
    for number, name in enumerate(node.output[:rounded]):
        if name:
            made.output[number] = f"{name}{WIDENED}"
            steps.op("Cast", made.output[number], to=onnx.TensorProto.FLOAT16)
            steps.nodes[-1].output[0] = name
    return steps.nodes


def _is_half(graph: OnnxGraph, name: str) -> bool:
    return graph.type_of(name).element == onnx.TensorProto.FLOAT16


def _widened(steps: Steps, name: str) -> str:
    constants = steps.graph.constants
    if name not in constants:
        return steps.op("Cast", name, to=onnx.TensorProto.FLOAT)
    constants[f"{name}{WIDENED}"] = constants[name].astype(np.float32)
    return f"{name}{WIDENED}"
