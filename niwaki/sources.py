"""A model as it was given, loaded once, from which networks are imported."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from niwaki.errors import NiwakiError
from niwaki.frontend.input_choices import AS_DECLARED, InputChoices
from niwaki.records import Remark

if TYPE_CHECKING:
    from niwaki.frontend import Imported

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Source:
    """A file, or a module or exported program of PyTorch.

    Attributes:
        name: of the file, for messages; empty for what is none.
        path: of an .onnx or .mlir file, which is read for each network.
        program: the module or exported program; None for a file.
        inputs, kwargs: example inputs of a module.
        choices: what the user decided about its inputs.
        example_length: the size of a module's examples that is their length, where that may change.
        remarks: what was special about its weights.
    """

    name: str = ""
    path: Path | None = None
    program: Any = None
    inputs: Any = None
    kwargs: Mapping[str, Any] | None = None
    choices: InputChoices = AS_DECLARED
    example_length: int = 0
    remarks: Sequence[Remark] = ()

    def at(self, length: int) -> Source:
        """The same for inputs of another length."""
        if not self.example_length:
            return replace(self, choices=replace(self.choices, length=length))
        from niwaki.frontend.lengths import with_length

        examples = (self.inputs, dict(self.kwargs or {}))
        inputs, kwargs = with_length(examples, self.example_length, length)
        return replace(self, inputs=inputs, kwargs=kwargs, example_length=length)

    def imported(self, ctx: Any) -> Imported:
        """The network as linalg on tensors."""
        from niwaki import frontend

        if self.path is not None and self.path.suffix == ".onnx":
            return frontend.import_onnx(self.path, ctx, self.choices)
        if self.path is not None:
            self.choices.check_unused(os.fspath(self.path))
            return frontend.import_mlir(self.path, ctx)
        imported = frontend.import_torch(self.fixed_program, self.inputs, ctx, self.kwargs)
        return replace(imported, remarks=self.remarks)

    @cached_property
    def fixed_program(self) -> Any:
        """The module, or the exported program for sizes that are numbers."""
        from torch.export import ExportedProgram

        if not isinstance(self.program, ExportedProgram):
            return self.program
        from niwaki.frontend.specialize import specialize

        return specialize(self.program, self.choices, self.name)


def load_source(
    model: Any,
    inputs: Any,
    kwargs: Mapping[str, Any] | None,
    choices: InputChoices,
    weights: Mapping[str, Any] | PathLike | None,
    lengths: Sequence[int] = (),
) -> Source:
    """What the user gave; a module's examples have the batch that was chosen.

    Raises:
        NiwakiError: it cannot be read, or choices, weights or lengths are not for such a model.
    """
    from niwaki import frontend

    file = os.fspath(model) if isinstance(model, (str, os.PathLike)) else ""
    if file:
        loaded = frontend.load_model(file)
        if loaded.path is not None and weights is not None:
            raise NiwakiError(f"{loaded.path} has its weights: weights are for a torch.nn.Module")
        if loaded.path is not None:
            return Source(file, loaded.path, choices=choices)
        model, inputs, kwargs = loaded.program, loaded.example_inputs, loaded.example_kwargs
    from torch.export import ExportedProgram

    remarks: Sequence[Remark] = ()
    if weights is not None:
        from niwaki.weights.module import with_weights

        model, remarks = with_weights(model, weights, inputs, kwargs or {})
    source = Source(file, None, model, inputs, kwargs, choices, remarks=remarks)
    return source if isinstance(model, ExportedProgram) else _of_module(source, lengths)


def _of_module(source: Source, lengths: Sequence[int]) -> Source:
    """A module's source, with examples of the batch that was chosen, whose length is known."""
    if source.choices == AS_DECLARED and not lengths:
        return source
    from niwaki.frontend.batch import with_batch
    from niwaki.frontend.lengths import example_length
    from niwaki.frontend.module_rules import check_model, positional

    check_model(source.program)
    source.choices.check_module()
    inputs, kwargs = positional(source.inputs), dict(source.kwargs or {})
    if source.choices.batch is not None:
        inputs, kwargs = with_batch((inputs, kwargs), source.choices.batch)
    length = example_length((inputs, kwargs), lengths) if lengths else 0
    return replace(source, inputs=inputs, kwargs=kwargs, example_length=length)
