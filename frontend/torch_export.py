"""From a module to a program of core ATen ops, with torch.export."""

from __future__ import annotations

import contextlib
import io
import logging
import traceback
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch._dynamo.exc import TorchDynamoException
from torch._ops import OpOverload
from torch.export import ExportedProgram
from torch.utils import _pytree as pytree

from niwaki.errors import NiwakiError
from niwaki.frontend.decompositions import decomposition_table
from niwaki.frontend.program_rules import PACKED
from niwaki.frontend.trial_run import misfit

_EXPLANATION = "Explanation: "
_CHECK = torch.ops.aten._assert_tensor_metadata.default


def export(model: nn.Module, inputs: tuple[Any, ...], kwargs: Mapping[str, Any]) -> ExportedProgram:
    """`model` as a graph for inputs of exactly these shapes.

    Raises NiwakiError where it does not take these inputs, or torch.export cannot trace it.
    """
    # Where gradients are off already, torch.no_grad() in the model leaves no trace in the graph.
    with quiet(), torch.no_grad(), _plain_attention():
        try:
            return torch.export.export(model, *_distinct((inputs, dict(kwargs))), strict=False)
        except TorchDynamoException as error:
            raise NiwakiError(
                f"torch.export cannot export {type(model).__name__}{_place(error)}: "
                f"{_loop_reason(error)}: write its body as PyTorch takes it"
            ) from error
        except Exception as error:  # it runs the user's code, so anything may come
            if problem := misfit(model, inputs, kwargs):
                raise NiwakiError(problem) from error
            if _is_packing(error):
                raise NiwakiError(f"{type(model).__name__}{_place(error)}: {PACKED}") from error
            raise NiwakiError(
                f"torch.export cannot export {type(model).__name__}{_place(error)}: "
                f"{_reason(error)}; a model must compute the same ops for every input: move other "
                "Python code out of forward(), and choose between tensors by torch.where"
            ) from error


def make_functional(program: ExportedProgram) -> ExportedProgram:
    """A new program that changes no tensor in place, in the ops that it has now.

    Raises NiwakiError where PyTorch cannot tell what an op that changes its argument does.
    """
    return _decomposed(program, {})


def decompose(program: ExportedProgram) -> ExportedProgram:
    """A new program in the ops that torch-mlir lowers; batch-norm stays one op.

    Raises NiwakiError where PyTorch cannot tell what an op that changes its argument does.
    """
    program = _decomposed(program, decomposition_table())
    # Checks of dtypes that tracing has made already, and that would keep their arguments alive.
    for check in program.graph.find_nodes(op="call_function", target=_CHECK):
        program.graph.erase_node(check)
    return program


def _decomposed(program: ExportedProgram, table: dict[OpOverload, Any]) -> ExportedProgram:
    with quiet():
        try:
            return program.run_decompositions(table)
        except RuntimeError as error:
            raise NiwakiError(
                f"torch.export cannot decompose the model: {_reason(error)}; use ops that return "
                "new tensors instead of changing their arguments"
            ) from error


def _distinct(example_inputs: Any) -> Any:
    """Tensors of their own: torch.export takes one that is given twice for one input."""
    return pytree.tree_map_only(torch.Tensor, torch.Tensor.detach, example_inputs)


def _is_packing(error: Exception) -> bool:
    """Whether PyTorch failed on packed sequences, which have batches of several sizes."""
    return any(
        isinstance(frame.f_locals.get("batch_sizes"), torch.Tensor)
        for frame, _ in traceback.walk_tb(error.__traceback__)
    )


def _place(error: Exception) -> str:
    """`` (net.py:12)``, the innermost line that is not PyTorch's own; empty where there is none."""
    torch_folder = str(Path(torch.__file__).parent)
    own_folder = str(Path(__file__).parent)
    lines = [
        f" ({Path(frame.filename).name}:{frame.lineno})"
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((torch_folder, own_folder, "<"))
    ]
    return lines[-1] if lines else ""


def _reason(error: Exception) -> str:
    """The first line of what may be pages, cut to a length that reads as one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = lines[0] if lines else ""
    return f"{type(error).__name__}: {reason[:200]}".rstrip(" .;:")


def _loop_reason(error: Exception) -> str:
    """What PyTorch explains about a `while_loop` or `scan`, which takes it several lines."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(_EXPLANATION)] or [" ".join(lines[:2])]
    return told[0].removeprefix(_EXPLANATION)[:200].rstrip(" .;:")


@contextlib.contextmanager
def _plain_attention() -> Iterator[None]:
    """In loops PyTorch would trace one op of its own for a transformer layer."""
    enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(enabled)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without torch.export's warnings, logs and prints, which repeat what it raises."""
    logger = logging.getLogger("torch")
    level, logger.level = logger.level, logging.CRITICAL
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.level = level
