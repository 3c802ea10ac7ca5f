"""What a user may name as MODEL: a Python function, a .pt2, an .onnx or an .mlir file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from niwaki.errors import NiwakiError
from niwaki.python_file import call_function, check_readable

if TYPE_CHECKING:
    from torch import nn
    from torch.export import ExportedProgram

_SUPPORTED = (
    "give file.py:function (the function returns a torch.nn.Module and its example inputs), a "
    ".pt2 file (torch.export.save), an .onnx file or an .mlir file (linalg on tensors)"
)


@dataclass(frozen=True)
class Model:
    """A model that was found: an .onnx or .mlir file at `path`, else `program`, PyTorch's."""

    path: Path | None = None
    program: nn.Module | ExportedProgram | None = None
    example_inputs: Any = None
    example_kwargs: Mapping[str, Any] = field(default_factory=dict)


def load_model(text: str) -> Model:
    """The model that `text` names; see `niwaki --help`.

    A function of ``file.py:function`` takes no arguments and returns ``(module, inputs)`` or
    ``(module, inputs, kwargs)``, where `inputs` is a tensor or the tuple of positional arguments,
    or an ExportedProgram.

    Raises NiwakiError where there is no such file or function, or the function fails or returns
    something else.
    """
    head, colon, function = text.rpartition(":")
    if colon and head.endswith(".py"):
        return _model(f"{Path(head)}:{function}", call_function(Path(head), function))
    path = Path(text)
    if path.suffix == ".py":
        raise NiwakiError(f"{text}: name the function that returns the model: {text}:function")
    if path.suffix not in (".pt2", ".onnx", ".mlir"):
        raise NiwakiError(f"{text}: not a kind of model that is supported: {_SUPPORTED}")
    check_readable(path)
    if path.suffix != ".pt2":
        return Model(path=path)
    from niwaki.frontend.pt2_archive import load_pt2

    return Model(program=load_pt2(path))


def _model(source: str, result: Any) -> Model:
    import torch  # the file has imported it by now

    if isinstance(result, torch.export.ExportedProgram):
        return Model(program=result)
    parts = result if isinstance(result, tuple) else (result,)
    if not isinstance(parts[0] if parts else None, torch.nn.Module):
        raise NiwakiError(
            f"{source}: returned {_kind(result)}, not a torch.nn.Module and its example inputs: "
            "return (module, inputs)"
        )
    if len(parts) == 1:
        raise NiwakiError(
            f"{source}: returned a module without example inputs: return (module, inputs)"
        )
    if len(parts) > 3 or (len(parts) == 3 and not isinstance(parts[2], Mapping)):
        raise NiwakiError(
            f"{source}: returned {len(parts)} values: return (module, inputs) or (module, inputs, "
            "kwargs), several inputs in a tuple"
        )
    return Model(None, *parts)


def _kind(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(type(item).__name__ for item in value)})"
    return "None" if value is None else type(value).__name__
