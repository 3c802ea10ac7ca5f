"""What a user may name as MODEL: a Python function, a .pt2, an .onnx or an .mlir file."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from niwaki.errors import NiwakiError

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
        return _call(Path(head), function)
    path = Path(text)
    if path.suffix == ".py":
        raise NiwakiError(f"{text}: name the function that returns the model: {text}:function")
    if path.suffix not in (".pt2", ".onnx", ".mlir"):
        raise NiwakiError(f"{text}: not a kind of model that is supported: {_SUPPORTED}")
    _check_readable(path)
    if path.suffix != ".pt2":
        return Model(path=path)
    from niwaki.frontend.pt2_archive import load_pt2

    return Model(program=load_pt2(path))


def _check_readable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise NiwakiError(f"{path}: cannot be read: {error.strerror}") from error


def _call(path: Path, name: str) -> Model:
    _check_readable(path)
    # The file may import its neighbours, while it is read and also in its functions.
    sys.path.insert(0, str(path.resolve().parent))
    try:
        function = getattr(_run_file(path), name, None)
        if not callable(function):
            raise NiwakiError(f"{path}: has no function {name!r}")
        try:
            result = function()
        except (Exception, SystemExit) as error:
            raise _failure(path, f"{name}()", error) from error
    finally:
        sys.path.remove(str(path.resolve().parent))
    return _model(f"{path}:{name}", result)


def _run_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"niwaki_model_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = (
        module  # dataclasses and torch.export look classes up by their module's name
    )
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise _failure(path, "the file", error) from error
    return module


def _failure(path: Path, what: str, error: BaseException) -> NiwakiError:
    """Names the exception and the last line of the user's file that was running."""
    if isinstance(error, SyntaxError):
        return NiwakiError(f"{error.filename}:{error.lineno}: {error.msg}")
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename) == path
    ]
    where = f"{path}:{lines[-1]}" if lines else str(path)
    message = (str(error).strip().splitlines() or [""])[0]
    return NiwakiError(f"{where}: {what} raised {type(error).__name__}: {message}".rstrip(": "))


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
