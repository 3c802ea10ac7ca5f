"""Decoding with two compiled networks: the tokens that PyTorch gives, and one line for misuse."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from plain_search import Written, plain_search
from torch import Tensor, nn

import niwaki
from niwaki.errors import NiwakiError
from niwaki.records import StateRecord
from niwaki.runtime.decode import Decoded
from niwaki.runtime.decoder_step import DecoderStep
from niwaki.runtime.length_guard import LengthGuard
from niwaki.runtime.network import Network
from niwaki.signature import TensorSpec

TOKENS, WIDTH, STEPS, END = 7, 5, 4, 2


class Encoder(nn.Module):
    """States of frames, zeros beyond the length, and which there are."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, WIDTH)

    def forward(self, frames: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        there = torch.arange(frames.shape[1]) < length[:, None]
        absent = torch.zeros(there.shape).masked_fill(~there, -math.inf)
        return torch.tanh(self.layer(frames)) * there[:, :, None], absent


class Decoder(nn.Module):
    """Looks for a state of the encoder, and remembers a state and what it has found."""

    def __init__(self, end: float = 0.0) -> None:
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, WIDTH)
        self.cell = nn.GRUCell(2 * WIDTH, WIDTH)
        self.scores = nn.Linear(2 * WIDTH, TOKENS)
        with torch.no_grad():
            self.embedding.weight *= 3
            self.scores.weight *= 6
            self.scores.bias[END] += end

    def forward(
        self, token: Tensor, states: Tensor, absent: Tensor, hidden: Tensor, found: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self.cell(torch.cat([self.embedding(token), found], 1), hidden)
        shares = ((states @ hidden[:, :, None])[:, :, 0] + absent).softmax(1)
        found = (shares[:, None] @ states)[:, 0]
        return self.scores(torch.cat([hidden, found], 1)), hidden, found


FRAMES = (torch.zeros(1, STEPS, 3), torch.zeros(1, dtype=torch.int64))
STEP = (
    torch.zeros(1, dtype=torch.int64),
    torch.zeros(1, STEPS, WIDTH),
    torch.zeros(1, STEPS),
    torch.zeros(1, WIDTH),
    torch.zeros(1, WIDTH),
)
STATES = {"hidden": "output_1", "found": "output_2"}


class Pair(NamedTuple):
    """The two networks in PyTorch, and compiled."""

    modules: tuple[nn.Module, nn.Module]
    encoder: Network
    decoder: Network


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Network]:
    torch.manual_seed(1)
    module, path = Encoder().eval(), tmp_path_factory.mktemp("encoder") / "encoder.niwaki"
    niwaki.compile(module, FRAMES, output=path)
    return module, niwaki.load(path)


def pair_with(encoder: tuple[nn.Module, Network], folder: Path, end: float) -> Pair:
    torch.manual_seed(14)
    module, path = Decoder(end).eval(), folder / "decoder.niwaki"
    niwaki.compile(module, STEP, output=path, states=STATES)
    return Pair((encoder[0], module), encoder[1], niwaki.load(path))


@pytest.fixture(scope="module")
def pair(encoder: Any, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return pair_with(encoder, tmp_path_factory.mktemp("pair"), end=0.0)


@pytest.fixture(scope="module")
def endless(encoder: Any, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Its decoder never writes the end."""
    return pair_with(encoder, tmp_path_factory.mktemp("endless"), end=-1e4)


def inputs(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    frames = 2 * random.standard_normal((1, STEPS, 3)).astype(np.float32)
    return frames, random.integers(1, STEPS + 1, 1)


def reference(pair: Pair, seed: int, beams: int, power: float, limit: int) -> list[Written]:
    encoder, decoder = pair.modules
    with torch.no_grad():
        encoded = encoder(*map(torch.from_numpy, inputs(seed)))

    def step(token: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        scores, *after = decoder(token, *encoded, *states)
        return scores, tuple(after)

    states = torch.zeros(1, WIDTH), torch.zeros(1, WIDTH)
    return plain_search(step, states, end=END, beams=beams, power=power, limit=limit)


@pytest.mark.parametrize(("beams", "power"), [(1, 1.0), (2, 1.0), (5, 0.0), (5, 0.7), (20, 1.0)])
def test_writes_what_pytorch_writes(pair: Pair, beams: int, power: float) -> None:
    written: set[tuple[int, ...]] = set()
    for seed in range(12):
        expected = reference(pair, seed, beams, power, limit=6)
        found = niwaki.decode(
            pair.encoder, pair.decoder, inputs(seed),
            end=END, beams=beams, length_power=power, max_tokens=6,
        )  # fmt: skip
        for one, other in zip((found, *found.others), expected, strict=True):
            assert one.tokens == other.tokens[1:]
            assert one.ending == ("end" if other.ended else "bound")
            assert one.score == pytest.approx(other.score, abs=1e-4)
            assert one.log_probability == pytest.approx(other.logarithm, abs=1e-3)
        written |= {one.tokens for one in (found, *found.others)}
    assert len(written) > 5


def test_the_same_twice_and_side_by_side(pair: Pair) -> None:
    def run(seed: int) -> Decoded:
        return niwaki.decode(pair.encoder, pair.decoder, inputs(seed), end=END, beams=3)

    assert [run(seed) for seed in range(4)] == [run(seed) for seed in range(4)]


def test_what_never_ends_is_bounded(endless: Pair) -> None:
    for beams in (1, 3):
        found = niwaki.decode(
            endless.encoder, endless.decoder, inputs(0), end=END, beams=beams, max_tokens=9
        )
        assert [one.ending for one in (found, *found.others)] == ["bound"] * beams
        assert len(found.tokens) == 9
    assert len(niwaki.decode(endless.encoder, endless.decoder, inputs(0), end=END).tokens) == 256


def fixed_guard(tokens: int) -> LengthGuard:
    """Allows so many, whatever it hears."""
    return LengthGuard(np.zeros(4 * WIDTH), tokens - 1, 1)


def test_a_guard_cuts_what_does_not_end(endless: Pair) -> None:
    def run(**options: Any) -> Decoded:
        return niwaki.decode(endless.encoder, endless.decoder, inputs(1), end=END, **options)

    whole = run(max_tokens=50)
    for tokens in (0, 1, 20):
        found = run(guard=fixed_guard(tokens))
        assert found.ending == "cut"
        assert found.tokens == whole.tokens[:tokens]
    assert run(guard=fixed_guard(50), max_tokens=20).ending == "bound"
    assert {one.ending for one in run(guard=fixed_guard(4), beams=2).others} == {"cut"}


def test_a_guard_leaves_alone_what_ends(pair: Pair) -> None:
    for seed in range(12):
        whole = niwaki.decode(pair.encoder, pair.decoder, inputs(seed), end=END, max_tokens=30)
        for tokens in range(6):
            found = niwaki.decode(
                pair.encoder, pair.decoder, inputs(seed), end=END, guard=fixed_guard(tokens)
            )
            if len(whole.tokens) <= tokens and whole.ending == "end":
                assert found == whole
            else:
                assert (found.ending, found.tokens) == ("cut", whole.tokens[:tokens])


def test_wrong_arguments(pair: Pair) -> None:
    for wrong, message in (
        ({"encoder": "encoder.niwaki"}, "encoder is a loaded network, not 'encoder.niwaki'"),
        ({"decoder": None}, "decoder is a loaded network, not None"),
        ({"beams": 0}, "beams is a whole number from 1 on, not 0"),
        ({"beams": 2.5}, "beams is a whole number from 1 on, not 2.5"),
        ({"max_tokens": 0}, "max_tokens is a whole number from 1 on, not 0"),
        ({"length_power": -1}, "length_power is a number from 0 to 16, not -1"),
        ({"length_power": 1e3}, "length_power is a number from 0 to 16, not 1000.0"),
        ({"length_power": math.nan}, "length_power is a number from 0 to 16, not nan"),
        ({"start": -1}, "start is a whole number from 0 on, not -1"),
        ({"start": 2**63}, r"start is a token that .*decoder.niwaki takes, up to 9"),
        ({"end": "2"}, "end is a whole number from 0 on, not '2'"),
        ({"end": 7}, r"end is one of the 7 tokens of .*decoder.niwaki, from 0 on, not 7"),
        ({"guard": "guard.safetensors"}, "guard is a LengthGuard or None, not 'guard.safetensors'"),
        ({"guard": LengthGuard(np.zeros(8), 1, 1)}, "the guard is for states of 2 numbers"),
        ({"inputs": inputs(0)[0]}, "expected 2 positional arguments"),
        ({"inputs": (inputs(0)[0][:, :1], inputs(0)[1])}, "input 'frames' must be float32 of"),
    ):  # fmt: skip
        arguments: dict[str, Any] = {
            "encoder": pair.encoder,
            "decoder": pair.decoder,
            "inputs": inputs(0),
            **wrong,
        }
        with pytest.raises(NiwakiError, match=message):
            niwaki.decode(**arguments)


def test_networks_that_do_not_fit(pair: Pair) -> None:
    with pytest.raises(NiwakiError, match=r"encoder.niwaki has no states, in which it would"):
        niwaki.decode(pair.encoder, pair.encoder, inputs(0))
    with pytest.raises(
        NiwakiError,
        match=r"decoder.niwaki takes \(states: 1x4x5xfloat32, absent: 1x4xfloat32\) behind the "
        r"token, and the encoder .*decoder.niwaki returns \(.*\): make them the same, in one order",
    ):
        niwaki.decode(pair.decoder, pair.decoder, inputs(0))


def test_an_encoder_of_several_lengths(pair: Pair, tmp_path: Path) -> None:
    """Its shorter outputs are no inputs of a decoder, which has one length."""

    class Hearing(nn.Module):
        def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
            return frames * 2, frames[:, :, 0]

    path, frames = tmp_path / "several.niwaki", torch.randn(1, STEPS, WIDTH)
    niwaki.compile(Hearing().eval(), frames, output=path, lengths=[2, STEPS])
    encoder = niwaki.load(path)
    assert niwaki.decode(encoder, pair.decoder, frames.numpy(), end=END, max_tokens=3).ending
    message = (
        r"decoder.niwaki takes states: 1x4x5xfloat32, and the encoder .*several.niwaki returns "
        r"1x3x5 for these inputs: fill them up to its largest length$"
    )
    with pytest.raises(NiwakiError, match=message):
        niwaki.decode(encoder, pair.decoder, frames[:, :3].numpy(), end=END)


def stub(
    inputs: list[TensorSpec], outputs: list[TensorSpec], results: Any = None, path: str = "d.niwaki"
) -> Any:
    """What `DecoderStep` asks a network; its last input is a state, its first output the next."""
    states = [StateRecord(len(inputs) - 1, 0)]
    return SimpleNamespace(
        signature=SimpleNamespace(inputs=inputs, outputs=outputs),
        bundle=SimpleNamespace(path=path, manifest=SimpleNamespace(states=states)),
        step=lambda *arguments: (results, arguments[-1]),
    )


def tensor(name: str, *shape: int, dtype: str = "float32") -> TensorSpec:
    return TensorSpec(name, shape, dtype)


TOKEN, HIDDEN, SCORES = tensor("token", 1, dtype="int64"), tensor("h", 5), tensor("scores", 1, 3)
NOTHING = stub([], [], path="e.niwaki")


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        ([HIDDEN], [SCORES], "the decoder d.niwaki takes nothing first: its first input is the"),
        (
            [tensor("x", 1), HIDDEN],
            [SCORES],
            "takes x: 1xfloat32 first: its first input is the tok",
        ),
        ([tensor("x", 2, dtype="int64"), HIDDEN], [SCORES], "takes x: 2xint64 first"),
        (
            [TOKEN, HIDDEN],
            [],
            r"decoder d.niwaki returns \(\) beside its states: it returns the scores of the next "
            r"token alone, floats of shape 1xTOKENS",
        ),
        (
            [TOKEN, HIDDEN],
            [SCORES, SCORES],
            r"returns \(scores: 1x3xfloat32, scores: 1x3xfloat32\)",
        ),
        ([TOKEN, HIDDEN], [tensor("y", 2, 3)], r"returns \(y: 2x3xfloat32\) beside its states"),
        ([TOKEN, HIDDEN], [tensor("y")], r"returns \(y: float32\) beside its states"),
        ([TOKEN, HIDDEN], [tensor("y", 3, dtype="int64")], r"returns \(y: 3xint64\) beside its"),
        (
            [tensor("token", 1, dtype="uint8"), HIDDEN],
            [tensor("y", 257)],
            "d.niwaki writes 257 tokens and takes token: 1xuint8, which does not hold all of them",
        ),
        (
            [TOKEN, tensor("x", 1, 4), HIDDEN],
            [SCORES],
            r"the decoder d.niwaki takes \(x: 1x4xfloat32\) behind the token, and the encoder "
            r"e.niwaki returns \(\): make them the same, in one order",
        ),
    ],
)
def test_decoders_that_are_none(
    inputs: list[TensorSpec], outputs: list[TensorSpec], message: str
) -> None:
    with pytest.raises(NiwakiError, match=message):
        DecoderStep(NOTHING, stub(inputs, [HIDDEN, *outputs]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers(value: float) -> None:
    scores = np.array([[0, value, value]] if value > 0 or np.isnan(value) else [[value] * 3])
    step = DecoderStep(NOTHING, stub([TOKEN, HIDDEN], [HIDDEN, SCORES], scores))
    with pytest.raises(
        NiwakiError,
        match=rf"d.niwaki gives {value} as the highest score behind token 2: its inputs",
    ):
        step([], 2, None)  # type: ignore[arg-type]


def test_scores_become_logarithms_of_probabilities() -> None:
    scores = np.array([[700.0, 701.0, -np.inf]], np.float32)
    step = DecoderStep(NOTHING, stub([TOKEN, HIDDEN], [HIDDEN, SCORES], scores))
    found = step([], 0, None)  # type: ignore[arg-type]
    np.testing.assert_allclose(np.exp(found), [1 / (1 + np.e), np.e / (1 + np.e), 0])
