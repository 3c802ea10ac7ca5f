"""Numbers for the sizes of inputs, from what a file declares and what a user gives.

image: batch x 3 x height x width   --batch 8 --shape image=1x3x320x320   -->   image: 1x3x320x320
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from niwaki.errors import NiwakiError
from niwaki.frontend.input_choices import InputChoices

# A size, or the name of one that is open, which may be empty.
Declared = Sequence[int | str]


def fixed_sizes(
    place: str, declared: Mapping[str, Declared | None], choices: InputChoices
) -> dict[str, tuple[int, ...]]:
    """Shapes of the inputs by name; `declared` has None for one of unknown rank.

    A size is the declared one, or the one given for the input, or for another input with a
    dimension of that name. A first dimension is else `choices.batch`, or 1 for None. Messages begin
    with `place`.

    Raises:
        NiwakiError: a dimension is open still, or a choice contradicts what is declared.
    """
    sizes = _Sizes(place, declared, choices)
    shapes = {name: sizes.shape(name) for name in declared}
    sizes.check_batch([shape for name, shape in shapes.items() if name not in choices.constants])
    return shapes


class _Sizes:
    """The sizes of all inputs, and whether any of them is the batch's."""

    def __init__(
        self, place: str, declared: Mapping[str, Declared | None], choices: InputChoices
    ) -> None:
        self.place, self.declared, self.batch = place, declared, choices.batch
        self.is_batch_used = False
        values = {name: np.shape(value) for name, value in choices.constants.items()}
        self.given = {name: shape for name, shape in values.items() if shape} | {
            name: tuple(shape) for name, shape in choices.shapes.items()
        }
        firsts = [shape[0] for shape in declared.values() if shape]
        self.batch_names = {name for name in firsts if name and isinstance(name, str)}
        self.named = self._named()
        self.length = choices.length
        self.length_name = None if self.length is None else self._length_name()

    def _named(self) -> dict[str, int]:
        """Sizes of named dimensions, from the shapes that are given; without contradictory ones."""
        found: dict[str, set[int]] = {}
        for input_name, given in self.given.items():
            for name, size in zip(self.declared[input_name] or (), given, strict=False):
                if name and isinstance(name, str):
                    found.setdefault(name, set()).add(size)
        return {name: sizes.pop() for name, sizes in found.items() if len(sizes) == 1}

    def _length_name(self) -> str:
        """What the dimensions are called that the length is of; may be empty.

        Raises:
            NiwakiError: none is open, or several are.
        """
        places = [
            (number, size)
            for name, sizes in self.declared.items()
            if name not in self.given
            for number, size in enumerate(sizes or ())
            if isinstance(size, str) and size not in self.named
        ]
        inner = {size for number, size in places if number and size not in self.batch_names}
        # Time may come first, where nothing else is open.
        names = inner or ({size for _, size in places} if self.batch is None else set())
        if not names:
            raise NiwakiError(
                f"{self.place}no dimension of the inputs is open, so that none can be the length: "
                "export the model with a dynamic one (dynamic_shapes or dynamic_axes)"
            )
        if len(names) > 1:
            raise NiwakiError(
                f"{self.place}several dimensions are open ({', '.join(sorted(names))}), and one "
                "can be the length: give the sizes of the others' inputs by --shape"
            )
        return names.pop()

    def shape(self, name: str) -> tuple[int, ...]:
        what, declared, given = (
            f"{self.place}input {name!r}",
            self.declared[name],
            self.given.get(name),
        )
        if declared is None and given is None:
            raise NiwakiError(f"{what} has no shape: give it by --shape {name}=SIZExSIZE")
        if given is None:
            return tuple(
                size if isinstance(size, int) else self._open_size(name, number)
                for number, size in enumerate(declared or ())
            )
        pairs = zip(declared or given, given, strict=False)
        fits = all(isinstance(size, str) or size == wanted for size, wanted in pairs)
        if declared is not None and (len(given) != len(declared) or not fits):
            raise NiwakiError(
                f"{what} is {template(declared)}, which {shape_text(given)} does not fit: sizes "
                "that the file fixes stay"
            )
        return given

    def _open_size(self, input_name: str, number: int) -> int:
        declared = self.declared[input_name] or ()
        name = str(declared[number])
        if name in self.named:
            return self.named[name]
        if name == self.length_name and self.length is not None and (number or name):
            return self.length
        if number == 0 or name in self.batch_names:
            self.is_batch_used = True
            return self.batch or 1
        called = f" ({name!r})" if name else ""
        raise NiwakiError(
            f"{self.place}input {input_name!r}: the size of dimension {number}{called} is dynamic: "
            f"give its sizes by --shape '{input_name}={template(declared)}' (shapes=... in Python)"
        )

    def check_batch(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Refuse a batch for which no input has a dimension."""
        if self.batch is None or self.is_batch_used:
            return
        if all(shape[:1] == (self.batch,) for shape in shapes):
            return
        if self.given:
            raise NiwakiError(
                f"{self.place}no input takes a batch of {self.batch}, with the shapes given: leave "
                "--batch out, and give it in --shape"
            )
        raise NiwakiError(
            f"{self.place}the batch is fixed: export the model for {self.batch} inputs, or with a "
            "symbolic first dimension (dynamic_axes or dynamic_shapes when exporting)"
        )


def template(declared: Declared) -> str:
    """``1x3x<height>x<width>``"""
    return "x".join(
        str(size) if isinstance(size, int) else "1" if number == 0 else f"<{size or 'size'}>"
        for number, size in enumerate(declared)
    )


def shape_text(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "a scalar"
