"""An exported program of dynamic sizes, for sizes that are numbers.

image: f32[batch, 3, height, width]   --shape image=1x3x320x320   -->   image: f32[1, 3, 320, 320]

The program's own module is exported again, for inputs of these shapes. Names of layers, weights and
inputs stay, and its ranges of sizes are checked on the way.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, TensorArgument
from torch.utils import _pytree as pytree

from niwaki.errors import NiwakiError
from niwaki.frontend.constants import placeholders
from niwaki.frontend.input_choices import InputChoices
from niwaki.frontend.input_sizes import fixed_sizes, shape_text
from niwaki.frontend.torch_export import quiet


def specialize(program: ExportedProgram, choices: InputChoices, file: str = "") -> ExportedProgram:
    """`program` itself where all sizes of its inputs are fixed, else a new one.

    Messages begin with `file`, where it comes from one.

    Raises:
        NiwakiError: a dimension is open still, a choice contradicts the program, or the program
            does not take inputs of these sizes.
    """
    nodes = placeholders(program)
    arguments = [
        spec.arg
        for spec in program.graph_signature.input_specs
        if spec.kind is InputKind.USER_INPUT
    ]
    tensors = {
        arg.name: nodes[arg.name].meta["val"]
        for arg in arguments
        if isinstance(arg, TensorArgument)
    }
    place = f"{file}: " if file else ""
    choices.check(file or "the program", list(tensors))
    for name in choices.constants:
        raise NiwakiError(
            f"{place}input {name!r} is one of an exported program: constants are for .onnx files"
        )
    declared = {
        name: [size if isinstance(size, int) else str(size) for size in tensor.shape]
        for name, tensor in tensors.items()
    }
    shapes = fixed_sizes(place, declared, choices)
    if all(list(shape) == declared[name] for name, shape in shapes.items()):
        return program
    leaves = [
        torch.zeros(shapes[arg.name], dtype=tensors[arg.name].dtype)
        if isinstance(arg, TensorArgument)
        else getattr(arg, "value", None)
        for arg in arguments
    ]
    return _exported_again(program, leaves, shapes, place)


def _exported_again(
    program: ExportedProgram, leaves: list[Any], shapes: dict[str, tuple[int, ...]], place: str
) -> ExportedProgram:
    in_spec = program.call_spec.in_spec
    assert in_spec is not None
    args, kwargs = pytree.tree_unflatten(leaves, in_spec)
    with quiet(), torch.no_grad():
        try:
            # Guards are code, which a file may have brought.
            module = program.module(check_guards=False)
            return torch.export.export(module, args, kwargs, strict=False)
        except Exception as error:  # torch.export raises many kinds
            reason = next(iter(str(error).splitlines()), type(error).__name__)[:200]
            sizes = ", ".join(f"{name} of {shape_text(shape)}" for name, shape in shapes.items())
            raise NiwakiError(
                f"{place}the program does not take {sizes} ({reason.rstrip(' .')}): give other "
                "sizes by --shape"
            ) from error
