"""Import of .onnx files.

file --read--> graph --fix inputs, fold constants, fold batch-norm--> graph
     --torch-mlir's importer--> torch dialect --torch-mlir's passes--> linalg on tensors
"""

from __future__ import annotations

from pathlib import Path

from torch_mlir import ir
from torch_mlir.dialects import torch as torch_dialect

from niwaki.frontend.body_calls import add_body
from niwaki.frontend.bound_divisions import bound_divisions
from niwaki.frontend.clamp_indices import clamp_indices
from niwaki.frontend.double_functions import check_double_functions
from niwaki.frontend.imported import Imported
from niwaki.frontend.input_choices import AS_DECLARED, InputChoices
from niwaki.frontend.keep_nan import keep_nan
from niwaki.frontend.loop_positions import use_loop_positions
from niwaki.frontend.narrow_doubles import narrow_doubles
from niwaki.frontend.onnx_file import read_onnx
from niwaki.frontend.onnx_fold_batch_norm import fold_onnx_batch_norm
from niwaki.frontend.onnx_fold_bias import fold_onnx_bias
from niwaki.frontend.onnx_graph import OnnxGraph, TensorType, type_name
from niwaki.frontend.onnx_inputs import fix_inputs
from niwaki.frontend.onnx_linear import simplify_linear
from niwaki.frontend.onnx_lower import lower_onnx
from niwaki.frontend.onnx_names import name_layers
from niwaki.frontend.onnx_resolve import resolve
from niwaki.frontend.onnx_rules import check_computed, check_inference
from niwaki.frontend.onnx_to_mlir import onnx_to_torch_dialect
from niwaki.frontend.onnx_transposed import lower_onnx_transposed
from niwaki.frontend.order_nan import order_nan
from niwaki.signature import Signature, TensorSpec, Tree


def import_onnx(
    path: str | Path, context: ir.Context, choices: InputChoices = AS_DECLARED
) -> Imported:
    """The network in file `path`, with `choices` where the file leaves sizes open.

    Inputs and outputs have the names of the file's.

    Raises:
        NiwakiError: the file or its external data cannot be read, or has sizes, element types or
            ops that are not supported.
    """
    torch_dialect.register_dialect(context)
    graph = prepare_graph(Path(path), choices)
    signature = _signature(graph)
    module = _lowered(graph, context)
    for name, body in graph.bodies.items():
        add_body(module, name, _lowered(body, context))
    return Imported(module, signature, remarks=graph.remarks)


def _lowered(graph: OnnxGraph, context: ir.Context) -> ir.Module:
    """A graph, or the body of a loop or branch, as linalg on tensors."""
    module = onnx_to_torch_dialect(graph, context)
    lower_onnx(module, graph)
    use_loop_positions(module)
    clamp_indices(module)
    bound_divisions(module)
    keep_nan(module)
    order_nan(module)
    narrow_doubles(module)
    check_double_functions(module)
    return module


def prepare_graph(path: Path, choices: InputChoices = AS_DECLARED) -> OnnxGraph:
    """The graph in file `path`: of static shapes, layers named, constants and batch-norm folded."""
    graph = read_onnx(path)
    check_inference(graph, graph.nodes)
    fix_inputs(graph, choices)
    resolve(graph)
    for part in (graph, *graph.bodies.values()):
        check_computed(part)
        name_layers(part)
        simplify_linear(part)
        fold_onnx_bias(part)
        fold_onnx_batch_norm(part)
        lower_onnx_transposed(part)
    return graph


def _signature(graph: OnnxGraph) -> Signature:
    inputs = tuple(_spec(value.name, graph.types[value.name]) for value in graph.inputs)
    outputs = tuple(_spec(name, graph.type_of(name)) for name in graph.outputs)
    input_tree: Tree = {"tuple": [{"tuple": list(range(len(inputs)))}, {"dict": {}}]}
    output_tree: Tree = 0 if len(outputs) == 1 else {"tuple": list(range(len(outputs)))}
    return Signature(inputs, outputs, input_tree, output_tree)


def _spec(name: str, type_: TensorType) -> TensorSpec:
    return TensorSpec(name, type_.shape, type_name(type_.element))
