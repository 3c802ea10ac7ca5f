"""What one step of an RNN, a GRU or an LSTM computes from its inputs' share of the gates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from niwaki.frontend.onnx_steps import Steps

Function = Callable[[str], str]


class Cell:
    """The weights of one direction.

    ONNX stacks gates as rows: w is gates * hidden x inputs, r gates * hidden x hidden, and b has
    w's bias and then r's.
    """

    gates: ClassVar[int]
    state_inputs: ClassVar[tuple[int, ...]] = (5,)
    default_activations: ClassVar[tuple[str, ...]]

    def __init__(
        self, steps: Steps, direction: int, functions: Sequence[Function], hidden: int
    ) -> None:
        self.steps, self.functions, self.hidden = steps, functions, hidden
        self.clip = steps.attribute("clip")
        self.direction = direction
        self.w, self.r = (self._columns(self.part(position)) for position in (1, 2))
        self.input_bias, self.state_bias = self.biases()

    def part(self, position: int) -> str:
        """This direction's part of an input."""
        return self.steps.take(self.steps.node.input[position], self.direction, axis=0)

    def _columns(self, rows: str) -> str:
        return self.steps.op("Transpose", rows, perm=[1, 0])

    def biases(self) -> tuple[str, str]:
        """Of the inputs' product, and of the state's: one sum for both, if the cell allows."""
        if not self.steps.input(3):
            return "", ""
        w, r = self.slices(self.part(3), 2, self.gates * self.hidden, axis=0)
        return self.steps.op("Add", w, r), ""

    def project(self, flat: str) -> str:
        """The inputs' share of the gates, for all steps."""
        return self.steps.op("Gemm", flat, self.w, *filter(None, [self.input_bias]))

    def step(self, gates: str, states: list[str]) -> list[str]:
        """The new states, the one that is returned first."""
        raise NotImplementedError

    def slices(self, data: str, count: int, size: int, axis: int = 1) -> list[str]:
        """`data` cut into parts of `size`."""
        return [self.steps.slice(data, i * size, (i + 1) * size, axis) for i in range(count)]

    def activate(self, number: int, value: str) -> str:
        """An activation of a gate after `clip`, which bounds what those read."""
        if self.clip is not None:
            low, high = self.steps.number(-self.clip), self.steps.number(self.clip)
            value = self.steps.op("Clip", value, low, high)
        return self.functions[number](value)

    def complement(self, value: str) -> str:
        return self.steps.op("Sub", self.steps.number(1), value)


class Rnn(Cell):
    gates = 1
    default_activations = ("Tanh",)

    def step(self, gates: str, states: list[str]) -> list[str]:
        op = self.steps.op
        return [self.activate(0, op("Add", gates, op("Gemm", states[0], self.r)))]


class Gru(Cell):
    """Gates z (keep), r (reset), h (new)."""

    gates = 3
    default_activations = ("Sigmoid", "Tanh")

    def __init__(
        self, steps: Steps, direction: int, functions: Sequence[Function], hidden: int
    ) -> None:
        self.resets_product = bool(steps.attribute("linear_before_reset", 0))
        super().__init__(steps, direction, functions, hidden)
        if not self.resets_product:
            z, r, self.r_new = self.slices(self.r, 3, hidden)
            self.r = steps.op("Concat", z, r, axis=1)

    def biases(self) -> tuple[str, str]:
        if not self.resets_product or not self.steps.input(3):
            return super().biases()
        # The new gate's share of the state is multiplied with its bias.
        w, r = self.slices(self.part(3), 2, 3 * self.hidden, axis=0)
        return w, r

    def step(self, gates: str, states: list[str]) -> list[str]:
        op, (state,) = self.steps.op, states
        z_in, r_in, new_in = self.slices(gates, 3, self.hidden)
        product = op("Gemm", state, self.r, *filter(None, [self.state_bias]))
        z_state, r_state, *new_state = self.slices(product, 2 + self.resets_product, self.hidden)
        z = self.activate(0, op("Add", z_in, z_state))
        r = self.activate(0, op("Add", r_in, r_state))
        if self.resets_product:
            reset = op("Mul", r, new_state[0])
        else:
            reset = op("Gemm", op("Mul", r, state), self.r_new)
        new = self.activate(1, op("Add", new_in, reset))
        return [op("Add", op("Mul", self.complement(z), new), op("Mul", z, state))]


class Lstm(Cell):
    """Gates i (input), o (output), f (forget), c (new); peepholes let i, o and f see the cell."""

    gates = 4
    state_inputs = (5, 6)
    default_activations = ("Sigmoid", "Tanh", "Tanh")

    def __init__(
        self, steps: Steps, direction: int, functions: Sequence[Function], hidden: int
    ) -> None:
        super().__init__(steps, direction, functions, hidden)
        self.forgets_what_it_reads = bool(steps.attribute("input_forget", 0))
        self.peepholes = (
            self.slices(self.part(7), 3, hidden, axis=0) if steps.input(7) else ["", "", ""]
        )

    def _see(self, number: int, gate: str, cell: str) -> str:
        if not (peephole := self.peepholes[number]):
            return gate
        return self.steps.op("Add", gate, self.steps.op("Mul", peephole, cell))

    def step(self, gates: str, states: list[str]) -> list[str]:
        op, (state, cell) = self.steps.op, states
        total = op("Add", gates, op("Gemm", state, self.r))
        i, o, f, new = self.slices(total, 4, self.hidden)
        i = self.activate(0, self._see(0, i, cell))
        f = self.activate(0, self._see(2, f, cell))
        if self.forgets_what_it_reads:
            f = self.complement(i)
        cell = op("Add", op("Mul", f, cell), op("Mul", i, self.activate(1, new)))
        o = self.activate(0, self._see(1, o, cell))
        return [op("Mul", o, self.functions[2](cell)), cell]  # ONNX Runtime clips no cell


CELLS: dict[str, type[Cell]] = {"GRU": Gru, "LSTM": Lstm, "RNN": Rnn}

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
_PLAIN = {name.lower(): name for name in ("Relu", "Sigmoid", "Softplus", "Softsign", "Tanh")}
_WITH_ALPHA = {"elu": "Elu", "leakyrelu": "LeakyRelu", "thresholdedrelu": "ThresholdedRelu"}


def activations(steps: Steps, kind: type[Cell], directions: int) -> list[list[Function]]:
    """The activations of each direction. Those with factors take the next ones of two lists."""
    default = kind.default_activations * directions
    names = [
        name.decode() if isinstance(name, bytes) else name
        for name in steps.attribute("activations", default)
    ]
    alphas = iter(steps.attribute("activation_alpha", ()))
    betas = iter(steps.attribute("activation_beta", ()))
    made = [_function(steps, name, alphas, betas) for name in names]
    count = len(kind.default_activations)
    if len(made) != count * directions:
        raise steps.refused(
            f"has {len(made)} activations, not {count * directions}", "give as many"
        )
    return [made[start : start + count] for start in range(0, len(made), count)]


def _function(steps: Steps, name: str, alphas: Iterator[Any], betas: Iterator[Any]) -> Function:
    key = name.lower()
    if key in _PLAIN:
        return lambda x: steps.op(_PLAIN[key], x)
    if key not in _FACTORS:
        raise steps.refused(f"has activation {name!r}, which ONNX does not name", "use another")
    factors = [
        float(factor)
        for given, default in zip((alphas, betas), _FACTORS[key], strict=False)
        if (factor := next(given, default)) is not None
    ]
    if len(factors) < len(_FACTORS[key]):
        raise steps.refused(f"has activation {name!r} without its factors", "give alpha and beta")
    alpha, *beta = factors
    if key in _WITH_ALPHA:
        return lambda x: steps.op(_WITH_ALPHA[key], x, alpha=alpha)
    if key == "hardsigmoid":
        return lambda x: steps.op("HardSigmoid", x, alpha=alpha, beta=beta[0])
    if key == "scaledtanh":
        return lambda x: _scaled(steps, steps.op("Tanh", _scaled(steps, x, beta[0])), alpha)
    return lambda x: steps.op("Add", _scaled(steps, x, alpha), steps.number(beta[0]))


def _scaled(steps: Steps, x: str, factor: float) -> str:
    return steps.op("Mul", x, steps.number(factor))
