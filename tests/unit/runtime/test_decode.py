"""Decoding with two compiled networks: the tokens that PyTorch gives, and one line for misuse."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import niwaki
from niwaki.errors import NiwakiError
from niwaki.runtime.decode import Decoded
from niwaki.runtime.length_guard import LengthGuard
from niwaki.runtime.network import Network

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


def compiled(folder: Path, end: float = 0.0) -> Pair:
    torch.manual_seed(1)
    modules = Encoder().eval(), Decoder(end).eval()
    niwaki.compile(modules[0], FRAMES, output=folder / "encoder.niwaki")
    niwaki.compile(modules[1], STEP, output=folder / "decoder.niwaki", states=STATES)
    encoder, decoder = (niwaki.load(folder / f"{name}.niwaki") for name in ("encoder", "decoder"))
    return Pair(modules, encoder, decoder)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return compiled(tmp_path_factory.mktemp("decode"), end=-4.0)


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Its decoder never writes the end."""
    return compiled(tmp_path_factory.mktemp("endless"), end=-1e4)


def inputs(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    frames = 2 * random.standard_normal((1, STEPS, 3)).astype(np.float32)
    return frames, random.integers(1, STEPS + 1, 1)


def reference(
    pair: Pair, seed: int, beams: int, power: float, limit: int
) -> list[tuple[float, list[int], bool]]:
    """A plain search in PyTorch, which keeps all states: (score, tokens, whether it ended)."""
    encoder, decoder = pair.modules
    with torch.no_grad():
        encoded = encoder(*map(torch.from_numpy, inputs(seed)))
        beam: list[Any] = [(0.0, 0.0, [0], False, (torch.zeros(1, WIDTH), torch.zeros(1, WIDTH)))]
        for number in range(limit + 1):
            longer: list[Any] = []
            for score, logarithm, written, ended, states in beam:
                if ended:
                    longer.append((score, logarithm, written, ended, states))
                    continue
                scores, *after = decoder(torch.tensor(written[-1:]), *encoded, *states)
                gains = scores[0].double().log_softmax(0)
                if number == limit and gains.argmax() != END:
                    longer.append((score, logarithm, written, False, states))
                    continue
                for token in [END] if number == limit else range(TOKENS):
                    total = logarithm + float(gains[token])
                    length = len(written)  # without the start, with this one
                    sequence = written if token == END else [*written, token]
                    longer.append((total / length**power, total, sequence, token == END, after))
            beam = sorted(longer, key=lambda one: -one[0])[:beams]
            if all(one[3] for one in beam):
                break
        beam.sort(key=lambda one: not one[3])
    return [(score, written[1:], ended) for score, _, written, ended, _ in beam]


@pytest.mark.parametrize(("beams", "power"), [(1, 1.0), (2, 1.0), (5, 0.0), (5, 0.7), (20, 1.0)])
def test_writes_what_pytorch_writes(pair: Pair, beams: int, power: float) -> None:
    written: set[tuple[int, ...]] = set()
    for seed in range(12):
        expected = reference(pair, seed, beams, power, limit=6)
        found = niwaki.decode(
            pair.encoder, pair.decoder, inputs(seed),
            end=END, beams=beams, length_power=power, max_tokens=6,
        )  # fmt: skip
        for one, (score, tokens, ended) in zip((found, *found.others), expected, strict=True):
            assert one.tokens == tuple(tokens)
            assert one.ending == ("end" if ended else "bound")
            assert one.score == pytest.approx(score, abs=1e-4)
            length = max(1, len(tokens) + ended)
            assert one.log_probability == pytest.approx(score * length**power, abs=1e-3)
        written |= {one.tokens for one in (found, *found.others)}
    assert len(written) > 6


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
        ({"length_power": -1}, "length_power is a number from 0 on, not -1"),
        ({"length_power": math.nan}, "length_power is a number from 0 on, not nan"),
        ({"start": -1}, "start is a whole number from 0 on, not -1"),
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


class Counter(nn.Module):
    """A state beside what a test gives and asks for."""

    def forward(self, token: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
        return token * 2, count + 1


class Several(nn.Module):
    """Scores, and something else."""

    def forward(self, token: Tensor, count: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return torch.ones(1, 3) * token, count + 1, token + 1


class Root(nn.Module):
    """Scores that are no numbers behind a token."""

    def forward(self, token: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
        return torch.log(torch.tensor([[0.1, 0.1, 0.8]]) + 0 / (token - 2.0)), count + 1


@pytest.mark.parametrize(
    ("module", "token", "message"),
    [
        (Counter(), torch.zeros(1), "takes token: 1xfloat32 first: its first input is the token"),
        (Counter(), torch.zeros(2, dtype=torch.int64), "takes token: 2xint64 first"),
        (
            Counter(),
            torch.zeros(1, dtype=torch.int64),
            r"returns \(output_0: 1xint64\) beside its states: it returns the scores of the next "
            r"token alone, floats of shape 1xTOKENS",
        ),
        (Several(), torch.zeros(1, dtype=torch.int64), r"returns \(output_0: .*, output_2: .*\)"),
        (
            Root(),
            torch.zeros(1, dtype=torch.int64),
            "gives nan as the highest score behind token 2: its inputs or its weights are not all",
        ),
    ],
)
def test_decoders_that_are_none(
    module: nn.Module, token: Tensor, message: str, tmp_path: Path
) -> None:
    states = {"count": "output_1"}
    path = tmp_path / "decoder.niwaki"
    niwaki.compile(module.eval(), (token, torch.zeros(1)), output=path, states=states)
    decoder = niwaki.load(path)
    niwaki.compile(Nothing().eval(), torch.ones(1), output=tmp_path / "encoder.niwaki")
    encoder = niwaki.load(tmp_path / "encoder.niwaki")
    with pytest.raises(NiwakiError, match=message):
        niwaki.decode(encoder, decoder, np.ones(1, np.float32))


class Nothing(nn.Module):
    """An encoder that tells nothing."""

    def forward(self, x: Tensor) -> tuple[()]:
        return ()
