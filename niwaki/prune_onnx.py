"""`niwaki prune net.onnx`: an ONNX file in, the same with zeros in its weights out."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx.inliner import inline_local_functions

from .atomic import atomic_file
from .errors import NiwakiError
from .frontend.onnx_file import parse_onnx
from .frontend.onnx_graph import Array, OnnxGraph, attribute
from .frontend.onnx_names import name_layers
from .frontend.onnx_weights import read_tensor
from .onnx_computed_weights import fold_weights

if TYPE_CHECKING:
    from .pruning import Layer, LayerReport, PruningConfig

RECURRENT = ("LSTM", "GRU", "RNN")
MOST_BYTES = 2**31 - 1  # of a message of protobuf
FLOATS = ("float16", "float32", "float64")


@dataclass(frozen=True)
class _Weight:
    """A constant that nodes multiply by.

    Attributes:
        tensor: the one of the file, which `write` changes.
        name: of the layer, as the compiler calls it.
        kind: the op.
        array: as the file has it.
        turned: whether filters are its last axis, not its first.
        node: the first that uses it.
    """

    tensor: onnx.TensorProto
    name: str
    kind: str
    array: Array
    turned: bool
    node: onnx.NodeProto

    def filters_first(self) -> Array:
        """``[F, C, ...]``, of a transposed convolution ``[C, F, ...]`` as ONNX has it.

        Those of a recurrent layer's directions follow one another.
        """
        if self.turned:
            return self.array.T
        recurrent = self.kind in RECURRENT
        return self.array.reshape(-1, self.array.shape[2]) if recurrent else self.array

    def write(self, values: Array) -> None:
        """Set the constant to what `filters_first` gave, changed."""
        stored = (values.T if self.turned else values).reshape(self.array.shape)
        _store(self.tensor, np.ascontiguousarray(stored, self.array.dtype))


def prune_onnx(path: str | Path, output: str | Path, config: PruningConfig) -> list[LayerReport]:
    """Prune the convolutions, linear and recurrent layers of an ONNX file by magnitude.

    Their names are those that the compiler's reports show, and their types ONNX's ops:
    ``type:Conv``. Everything else stays as it is, but that data in other files comes into this one.

    Returns:
        The scheme that the compiler finds in each layer that was pruned, and its rate.

    Raises:
        NiwakiError: the file is no ONNX model, no layer of it fits, or the output cannot be
            written.
    """
    from .pruning import LayerReport, Magnitude, left_out_layers, select_layers
    from .pruning.progress import say
    from .schemes import detect

    path = Path(path)
    model = parse_onnx(path)
    if model.functions:
        model = inline_local_functions(model)
    fold_weights(model, path, [x for node in model.graph.node for x, _ in _constant_inputs(node)])
    weights = {weight.name: weight for weight in _weights(model, path)}
    layers = [_layer(weight) for weight in weights.values()]
    chosen = select_layers(
        layers, config, lambda few: _flops(model, [weights[x.name] for x in few])
    )
    if dense := left_out_layers(layers, config):
        say(f"stays dense: {dense}")
    reports = []
    for target in Magnitude().fit(chosen):
        layer = target.layer
        array = layer.array(layer.weight)
        mask = target.scheme.mask(array, target.rate, layer.groups)
        weight = weights[layer.name]
        weight.write(np.where(layer.tensor(mask).numpy(), weight.filters_first(), 0))
        found = detect(np.where(mask, array, 0), layer.groups)
        kept = int(np.count_nonzero(array[mask]))
        reports.append(LayerReport(layer.name, str(found.scheme), kept, mask.size))
    _write(model, path, output)
    return reports


def _weights(model: onnx.ModelProto, path: Path) -> Iterator[_Weight]:
    """Each constant that is a layer's weight once, in the order of nodes."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and (value := attribute(node, "value", None)) is not None:
            # The one in the file: what `attribute` gives is it, not a copy.
            tensors[node.output[0]] = value
    constants = {name: np.empty(0) for name in tensors}  # names of layers need no values
    inputs = [value for value in model.graph.input if value.name not in tensors]
    outputs = [value.name for value in model.graph.output]
    nodes = [node for node in model.graph.node if node.op_type != "Constant"]
    graph = OnnxGraph(path, 0, nodes, inputs, outputs, constants)
    name_layers(graph)
    seen: set[str] = set()
    names: set[str] = set()
    for node in nodes:
        for label, suffix in _constant_inputs(node):
            if label not in tensors or label in seen:
                continue
            array = read_tensor(tensors[label], path, label)
            if array.dtype.name not in FLOATS or array.ndim < 2 or not array.size:
                continue
            if node.op_type == "MatMul" and array.ndim > 2:
                continue  # a matrix for each of a batch
            seen.add(label)
            name = _unused_name(graph.names[node.output[0]], suffix, names)
            names.add(name)
            yield _Weight(tensors[label], name, node.op_type, array, _is_turned(node), node)


def _unused_name(layer: str, suffix: str, names: Collection[str]) -> str:
    """That of a layer's weight; with a number where a module is several layers: rnn.W, rnn_1.W."""
    numbered = (f"{layer}_{number}{suffix}" for number in count(1))
    return next(name for name in chain([layer + suffix], numbered) if name not in names)


def _constant_inputs(node: onnx.NodeProto) -> list[tuple[str, str]]:
    """Which inputs are weights, and what to call those of a layer that has several."""
    if node.op_type in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
        return [(node.input[1], "")]
    if node.op_type in RECURRENT:
        return [(node.input[1], ".W"), (node.input[2], ".R")]
    return []


def _is_turned(node: onnx.NodeProto) -> bool:
    return node.op_type == "MatMul" or (node.op_type == "Gemm" and not attribute(node, "transB", 0))


def _layer(weight: _Weight) -> Layer:
    import torch

    from .pruning import Layer

    # A copy: PyTorch takes no arrays that may not be written.
    values = torch.from_numpy(np.array(weight.filters_first(), np.float32, order="C"))
    convolution = weight.kind in ("Conv", "ConvTranspose")
    groups = attribute(weight.node, "group", 1) if convolution else 1
    parameter = torch.nn.Parameter(values, requires_grad=False)
    recurrent = weight.kind in RECURRENT
    module = weight.name.rpartition(".")[0] if recurrent else weight.name
    transposed = weight.kind == "ConvTranspose"
    return Layer(weight.name, weight.kind, parameter, (), groups, module, transposed)


def _flops(model: onnx.ModelProto, weights: Sequence[_Weight]) -> Mapping[str, float]:
    """Floating-point operations of each layer."""
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {
        value.name: [size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in (*inferred.value_info, *inferred.output, *inferred.input)
    }
    flops = {}
    for weight in weights:
        if not (positions := _positions(weight, shapes)):
            raise NiwakiError(
                f"{weight.name}: the shape of its output is not known, which the budget flops "
                "needs: export the model with fixed sizes, or choose the budget weights"
            )
        flops[weight.name] = 2.0 * weight.array.size * positions
    return flops


def _positions(weight: _Weight, shapes: Mapping[str, Sequence[int]]) -> float:
    """How many output positions each weight serves; a batch that is not given is 1. 0: unknown."""
    if weight.kind in RECURRENT:
        steps_and_batch = shapes.get(weight.node.input[0], [])[:2]
        return math.prod(size or 1 for size in steps_and_batch) if steps_and_batch else 0
    transposed = weight.kind == "ConvTranspose"  # uses all its weights for each input position
    shape = shapes.get((weight.node.input if transposed else weight.node.output)[0], [])
    sizes = [size or int(axis == 0) for axis, size in enumerate(shape)]
    return math.prod(sizes) / len(weight.filters_first()) if sizes else 0


def _write(model: onnx.ModelProto, path: Path, output: str | Path) -> None:
    for tensor in _all_tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            _store(tensor, read_tensor(tensor, path, tensor.name))
    if model.ByteSize() > MOST_BYTES:
        raise NiwakiError(
            f"cannot write {output}: an ONNX file of one piece has at most 2 GiB; prune the "
            "network where it was exported from"
        )
    with atomic_file(output) as file:
        file.write(model.SerializeToString())


def _all_tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    yield from model.graph.initializer
    for node in model.graph.node:
        yield from (item.t for item in node.attribute if item.HasField("t"))


def _store(tensor: onnx.TensorProto, values: Array) -> None:
    """Set the values of a tensor of the same type and shape."""
    for key in ("float_data", "int32_data", "int64_data", "double_data", "uint64_data"):
        tensor.ClearField(key)
    tensor.ClearField("external_data")
    tensor.data_location = onnx.TensorProto.DEFAULT
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    tensor.raw_data = little.tobytes()
