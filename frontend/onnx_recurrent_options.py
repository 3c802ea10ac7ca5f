"""Options of RNN, GRU and LSTM nodes: activations with their factors, and what cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from niwaki.frontend.cell_functions import FUNCTIONS
from niwaki.frontend.onnx_steps import Steps

# A name and its factors.
Function = Sequence[str | float]


class Kind(NamedTuple):
    """A kind of layer.

    Attributes:
        name: of its cell.
        order: where ONNX has the gates of our order: r z n among z r h, i f g o among i o f c.
        states: which inputs they begin with.
        functions: of gates, of new values, and of what an LSTM gives.
        peepholes: where ONNX has those of our order, i f o among i o f.
    """

    name: str
    order: tuple[int, ...]
    states: tuple[int, ...]
    functions: tuple[str, ...]
    peepholes: tuple[int, ...] = ()


_KINDS = {
    "GRU": Kind("gru", (1, 0, 2), (5,), ("Sigmoid", "Tanh")),
    "LSTM": Kind("lstm", (0, 2, 3, 1), (5, 6), ("Sigmoid", "Tanh", "Tanh"), (0, 2, 1)),
    "RNN": Kind("rnn", (0,), (5,), ("Tanh",)),
}

# Values of alpha and beta where a node gives none; the others have no such factors.
# None: neither ONNX nor runtimes agree on one (ONNX Runtime takes 0, which leaves nothing).
_FACTORS: dict[str, tuple[float | None, ...]] = {
    "affine": (None, 0.0),
    "elu": (1.0,),
    "hardsigmoid": (0.2, 0.5),
    "leakyrelu": (0.01,),
    "scaledtanh": (None, None),
    "thresholdedrelu": (1.0,),
}


def kind_of(steps: Steps) -> Kind:
    """The kind of the replaced node."""
    return _KINDS[steps.node.op_type]


def check(steps: Steps, kind: Kind, directions: int, length: int, batch: int, hidden: int) -> None:
    """Refuse options and sizes that make no layer."""
    if (clip := steps.attribute("clip")) is not None and not clip >= 0:
        raise steps.refused(f"has clip {clip:g}", "give a bound of at least 0")
    if steps.attribute("hidden_size", hidden) != hidden or not hidden:
        what = f"has weights of {hidden} units and hidden_size {steps.attribute('hidden_size')}"
        raise steps.refused(what, "make both the same, at least 1")
    rows = len(kind.order) * hidden
    inputs = steps.input_shape()[2]
    by_batch = bool(steps.attribute("layout", 0))
    state = (batch, directions, hidden) if by_batch else (directions, batch, hidden)
    expected: list[tuple[int, ...]] = [
        *((directions, rows, inputs), (directions, rows, hidden), (directions, 2 * rows)),
        *((batch,), state, state, (directions, 3 * hidden)),
    ]
    for position, shape in enumerate(expected, 1):
        name = steps.input(position)
        if name and (found := steps.graph.type_of(name).shape) != shape:
            what = f"has {name!r} of shape {list(found)}"
            raise steps.refused(what, f"a layer of {hidden} units needs {list(shape)}")
    lengths = steps.input_constant(4)
    if lengths is not None and not ((lengths >= 0) & (lengths <= length)).all():
        what = f"has sequence_lens {lengths.tolist()} for inputs of {length} steps"
        raise steps.refused(what, "give lengths from 0 to that")


def activations(steps: Steps, kind: Kind, directions: int) -> list[list[Function]]:
    """The activations of each direction. Those with factors take the next ones of two lists."""
    names = [
        name.decode() if isinstance(name, bytes) else name
        for name in steps.attribute("activations", kind.functions * directions)
    ]
    alphas = iter(steps.attribute("activation_alpha", ()))
    betas = iter(steps.attribute("activation_beta", ()))
    made = [_function(steps, name, alphas, betas) for name in names]
    count = len(kind.functions)
    if len(made) != count * directions:
        raise steps.refused(
            f"has {len(made)} activations, not {count * directions}", "give as many"
        )
    return [made[start : start + count] for start in range(0, len(made), count)]


def _function(steps: Steps, name: str, alphas: Iterator[Any], betas: Iterator[Any]) -> Function:
    key = name.lower()
    if key not in FUNCTIONS:
        raise steps.refused(f"has activation {name!r}, which ONNX does not name", "use another")
    defaults = _FACTORS.get(key, ())
    given = zip((alphas, betas), defaults, strict=False)
    factors = [next(values, default) for values, default in given]
    known = [float(factor) for factor in factors if factor is not None]
    if len(known) < len(factors):
        raise steps.refused(f"has activation {name!r} without its factors", "give alpha and beta")
    return [key, *known]
