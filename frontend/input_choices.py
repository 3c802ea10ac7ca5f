"""What a user decides about a network's inputs that its file leaves open."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from niwaki.errors import NiwakiError


@dataclass(frozen=True)
class InputChoices:
    """Sizes and values of inputs.

    Attributes:
        batch: of first dimensions that are open; None leaves it to the file.
        shapes: of inputs, by their names.
        constants: values of inputs, by their names: such an input is no longer one.
        length: of dimensions that are open and not the batch's; None leaves them to `shapes`.
    """

    batch: int | None = None
    shapes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    length: int | None = None

    def check(self, what: str, inputs: Collection[str]) -> None:
        """Refuse, as of model `what`, an impossible batch or size, and names of no input."""
        if self.batch is not None and self.batch < 1:
            raise NiwakiError(f"a batch has at least 1 input, not {self.batch}")
        for name in (*self.shapes, *self.constants):
            if name not in inputs:
                known = ", ".join(map(repr, inputs)) or "none"
                raise NiwakiError(f"{what}: has no input {name!r}; its inputs are {known}")
        for name, shape in self.shapes.items():
            if min(shape, default=1) < 1:
                sizes = "x".join(map(str, shape))
                raise NiwakiError(f"{what}: input {name!r}: a size of {sizes} is below 1")

    def check_module(self) -> None:
        """Refuse what is none of a module's: its example inputs have the sizes."""
        for name in (*self.shapes, *self.constants):
            raise NiwakiError(
                f"input {name!r} of a torch.nn.Module has the shape of its example input: give "
                "another one there, and make constants attributes of the module"
            )

    def check_unused(self, what: str) -> None:
        """Refuse all of them for a model `what` whose inputs are fixed."""
        if self.batch is not None:
            raise NiwakiError(f"the batch of {what} is fixed: export it for {self.batch} inputs")
        if self.length is not None:
            raise NiwakiError(f"the sizes of {what} are fixed: compile it without lengths")
        for name in (*self.shapes, *self.constants):
            raise NiwakiError(
                f"input {name!r} of {what} is fixed: shapes are for .onnx and .pt2 files, "
                "constants for .onnx files"
            )


# As the file has them, and of one image where it leaves their number open.
AS_DECLARED = InputChoices()
