"""What an exported program must be like, each rule with the message that a user gets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch._subclasses import FakeTensor
from torch.export import ExportedProgram
from torch.export.graph_signature import ConstantArgument, InputKind, OutputKind, TensorArgument
from torch.fx import Node

from niwaki.errors import NiwakiError
from niwaki.frontend.constants import constant_names, constant_tensors, placeholders
from niwaki.frontend.layer_names import layer_name, op_name
from niwaki.frontend.module_rules import no_values
from niwaki.frontend.recurrent_layers import RULES as RECURRENT
from niwaki.signature import DTYPES

# PyTorch has few ops for the other unsigned types, and orders none of them.
_DTYPES = [name for name in DTYPES if name not in ("uint16", "uint32", "uint64")]
# Around ops that check values or print them.
_WITH_EFFECTS = torch.ops.higher_order.with_effects


# Of ops on packed sequences, whose sizes depend on the data.
PACKED = (
    "packed sequences have no fixed sizes: give the layer the padded ones and take its results at "
    "each length (y[rows, lengths - 1]), compile for several lengths by --lengths, or export the "
    "layer as ONNX with sequence_lens"
)
_PACKED_OPS = ("_pack_padded_sequence", "_pad_packed_sequence")


def dtype_name(dtype: torch.dtype) -> str:
    """numpy's name of a dtype."""
    return str(dtype).removeprefix("torch.")


def check_program(program: ExportedProgram) -> None:
    """Raise NiwakiError for the first rule that `program`, as exported, breaks."""
    _check_inputs(program)
    _check_weights(program)
    computed = _computed_from_weights(program)
    for node in program.graph.nodes:
        if node.op == "call_function" and not _is_inner(node, computed):
            _check_node(node)
    _check_outputs(program)


def check_pure(program: ExportedProgram) -> None:
    """Raise NiwakiError where a call would change something, or draw random numbers.

    To be asked of the decomposed program: until then, an op that changes its argument is not told
    apart from one that does not, nor a dropout layer that is switched off from one that is on.
    """
    signature = program.graph_signature
    for target in (
        *signature.buffers_to_mutate.values(),
        *signature.parameters_to_mutate.values(),
    ):
        raise NiwakiError(
            f"buffer {target!r} changes at every call: call model.eval() before exporting "
            "(batch-norm), or make the state an input and an output of the model"
        )
    for target in signature.user_inputs_to_mutate.values():
        raise NiwakiError(
            f"input {target!r} is changed in place: use the op that returns a new tensor, or clone "
            "the input"
        )
    for node in program.graph.find_nodes(op="call_function", target=_WITH_EFFECTS):
        effect = str(node.args[1]).split(".")[1]
        raise NiwakiError(
            f"layer {layer_name(node)!r}: op {effect!r} does more than compute a result, which is "
            "not supported: write it with other ops of PyTorch"
        )
    for node in program.graph.nodes:
        if torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()):
            raise NiwakiError(
                f"layer {layer_name(node)!r}: op {op_name(node)!r} draws random numbers: call "
                "model.eval() before exporting it, or make the random tensor an input"
            )


def _check_inputs(program: ExportedProgram) -> None:
    nodes = placeholders(program)
    for spec in program.graph_signature.input_specs:
        if spec.kind is not InputKind.USER_INPUT:
            continue
        name = spec.arg.name
        if isinstance(spec.arg, ConstantArgument):
            if spec.arg.value is not None:
                raise NiwakiError(
                    f"input {name!r} is {spec.arg.value!r}, not a tensor: make it a tensor, or an "
                    "attribute of the model"
                )
        elif not isinstance(spec.arg, TensorArgument):
            raise NiwakiError(f"input {name!r} is a number that may change: make it a tensor")
        else:
            value = nodes[name].meta["val"]
            for dimension, size in enumerate(value.shape):
                if not isinstance(size, int):
                    raise dynamic_input(name, dimension)
                # Recurrent layers alone never reach what divides by sizes.
                if not size and not all(user.target in RECURRENT for user in nodes[name].users):
                    raise NiwakiError(
                        f"input {name!r}: dimension {dimension} has the size 0: give an example "
                        "that has elements"
                    )
            _check_dtype(f"input {name!r}", value.dtype)


def dynamic_input(name: str, dimension: int) -> NiwakiError:
    """The message for an input whose size is left open, wherever that is found out."""
    return NiwakiError(
        f"input {name!r}: the size of dimension {dimension} is dynamic: export the model with a "
        "fixed size (torch.export.export without dynamic_shapes), once for each size that is "
        "needed"
    )


def _check_weights(program: ExportedProgram) -> None:
    values, computed = constant_tensors(program), _computed_from_weights(program)
    for node, name in constant_names(program).items():
        if not node.users or node not in values:
            continue
        value = values[node]
        if value.layout is not torch.strided or value.is_quantized:
            raise NiwakiError(
                f"weight {name!r} is sparse or quantized: make it dense, zeros included"
            )
        if value.device.type == "meta":
            raise no_values(name)
        if not _is_inner(node, computed):
            _check_dtype(f"weight {name!r}", value.dtype)


def _computed_from_weights(program: ExportedProgram) -> set[Node]:
    """Nodes that depend on weights alone, and are computed when compiling.

    What only they read may be of any type: checkpoints come in bfloat16 and 8-bit floats, and their
    networks widen them.
    """
    constant = set(constant_names(program))
    computed: set[Node] = set()
    for node in program.graph.nodes:
        inputs = node.all_input_nodes
        if node.op == "call_function" and inputs and constant.issuperset(inputs):
            constant.add(node)
            computed.add(node)
    return computed


def _is_inner(node: Node, computed: set[Node]) -> bool:
    return all(user in computed for user in node.users)


def _check_node(node: Node) -> None:
    if op_name(node) in _PACKED_OPS:
        raise NiwakiError(f"layer {layer_name(node)!r}: {PACKED}")
    for value in _tensors(node.meta.get("val")):
        if not all(isinstance(size, int) for size in value.shape):
            raise NiwakiError(
                f"layer {layer_name(node)!r}: the size of what {op_name(node)!r} returns depends "
                "on the data: use an op whose result has a fixed size, such as torch.where"
            )
        _check_dtype(f"layer {layer_name(node)!r}: the result of {op_name(node)!r}", value.dtype)


def _tensors(value: Any) -> Iterable[FakeTensor]:
    candidates = value if isinstance(value, (tuple, list)) else [value]
    return [candidate for candidate in candidates if isinstance(candidate, FakeTensor)]


def _check_dtype(what: str, dtype: torch.dtype) -> None:
    if dtype_name(dtype) in _DTYPES:
        return
    remedy = (
        "call float() on it, and on the model"
        if dtype.is_floating_point
        else f"use one of {', '.join(_DTYPES)}"
    )
    raise NiwakiError(f"{what} is {dtype_name(dtype)}, which is not supported: {remedy}")


def _check_outputs(program: ExportedProgram) -> None:
    for spec in program.graph_signature.output_specs:
        if spec.kind is not OutputKind.USER_OUTPUT or isinstance(spec.arg, TensorArgument):
            continue
        value = spec.arg.value if isinstance(spec.arg, ConstantArgument) else "a number"
        if value is not None:
            raise NiwakiError(
                f"the model returns {value!r}, not a tensor: return tensors, alone or in tuples, "
                "lists and dicts"
            )
