"""Import of PyTorch models.

nn.Module --torch.export--> program --decompose, fold--> program
          --FxImporter--> torch dialect --torch-mlir's passes--> linalg on tensors
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram
from torch.utils import _pytree as pytree
from torch_mlir import ir
from torch_mlir.dialects import torch as torch_dialect

from niwaki.frontend.body_calls import add_body
from niwaki.frontend.bound_divisions import bound_divisions
from niwaki.frontend.bound_shifts import bound_shifts
from niwaki.frontend.clamp_indices import clamp_indices
from niwaki.frontend.double_functions import check_double_functions
from niwaki.frontend.explicit_types import make_types_explicit
from niwaki.frontend.fold_batch_norm import fold_batch_norm
from niwaki.frontend.fold_constants import fold_constants
from niwaki.frontend.imported import Imported
from niwaki.frontend.keep_nan import keep_nan
from niwaki.frontend.loop_positions import use_loop_positions
from niwaki.frontend.lower_torch import lower_torch
from niwaki.frontend.module_rules import check_model, check_values, positional
from niwaki.frontend.narrow_doubles import narrow_doubles
from niwaki.frontend.narrow_types import widen_narrow
from niwaki.frontend.order_nan import order_nan
from niwaki.frontend.program_rules import check_program, check_pure
from niwaki.frontend.program_signature import program_signature
from niwaki.frontend.program_to_mlir import program_to_torch_dialect
from niwaki.frontend.roll_cells import roll_cells
from niwaki.frontend.torch_control_flow import take_control_flow
from niwaki.frontend.torch_export import decompose, export
from niwaki.frontend.transposed_convolutions import lower_transposed_convolutions
from niwaki.frontend.wrap_indices import wrap_indices


def import_torch(
    model: nn.Module | ExportedProgram,
    example_inputs: Any,
    context: ir.Context,
    example_kwargs: Mapping[str, Any] | None = None,
) -> Imported:
    """`model` as linalg on tensors in `context`.

    `example_inputs` is a tensor or the tuple of positional arguments, `example_kwargs` the keyword
    arguments; their shapes and dtypes become the compiled network's. An ExportedProgram has both
    already, and neither is read. The model is not changed.

    Raises NiwakiError where the model is in training mode, cannot be exported, keeps state between
    calls, or has sizes, dtypes or ops that are not supported.
    """
    torch_dialect.register_dialect(context)
    bodies: dict[str, ExportedProgram] = {}
    with _no_garbage_collection(), _one_thread():
        program = prepare_program(model, example_inputs, example_kwargs, bodies)
    signature = program_signature(program)
    examples = None if isinstance(model, ExportedProgram) else _example_arrays(program)
    module = program_to_torch_dialect(program, context)
    parts = {name: program_to_torch_dialect(body, context) for name, body in bodies.items()}
    del program, bodies  # their constants are in the modules by now
    _lower(module)
    for name, part in parts.items():
        _lower(part)
        add_body(module, name, part)
    return Imported(module, signature, examples=examples)


def _lower(module: ir.Module) -> None:
    """The network, or the body of a loop or branch, from the torch dialect to linalg on tensors."""
    lower_torch(module)
    use_loop_positions(module)
    clamp_indices(module)
    bound_divisions(module)
    bound_shifts(module)
    keep_nan(module)
    order_nan(module)
    narrow_doubles(module)
    check_double_functions(module)


def prepare_program(
    model: nn.Module | ExportedProgram,
    example_inputs: Any,
    example_kwargs: Mapping[str, Any] | None = None,
    bodies: dict[str, ExportedProgram] | None = None,
) -> ExportedProgram:
    """`model` as a checked program of its own, decomposed, with constants and batch-norm folded.

    `bodies` gets those of its loops and branches, by name.
    """
    check_model(model)
    if isinstance(model, ExportedProgram):
        exported = model
    else:
        check_values(model)
        exported = export(model, positional(example_inputs), example_kwargs or {})
    check_program(exported)
    found = {} if bodies is None else bodies
    exported = take_control_flow(
        exported, found, lambda body: prepare_program(body, None, None, found)
    )
    program = decompose(roll_cells(exported))
    check_pure(program)
    wrap_indices(program)
    widen_narrow(program)
    make_types_explicit(program)
    fold_constants(program)
    fold_batch_norm(program)
    lower_transposed_convolutions(program)
    return program


def _example_arrays(program: ExportedProgram) -> list[Any]:
    """The tensors that a module was exported for, in the order of the program's arguments."""
    leaves = pytree.tree_leaves(program.example_inputs)
    return [leaf.numpy() for leaf in leaves if isinstance(leaf, torch.Tensor)]


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Tracing makes a million objects that all live on; looking for garbage takes a sixth of it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Tracing computes on small tensors, where a second thread spends its time on waiting."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
