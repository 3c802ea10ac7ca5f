"""The recogniser that examples ship: what it hears in clips of speakers it was not trained on."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from digit_strings import LONGEST, SAMPLES, Spoken, shipped_strings
from frame_gru import FrameStep
from front_end import log_mel
from plain_search import plain_search
from recognise import guessed, in_domain, out_of_domain
from recognise_frames import STATES as FRAME_STATES
from recognise_frames import Heard, phones, random
from recogniser import HIDDEN, MARK, STRIDE, Recogniser
from rich.console import Console
from speech import GUARD, WEIGHTS, Listener, error_rate, inputs, load
from strange_sounds import CHANGES, strange
from torch import Tensor
from train_recogniser import fit_guard

import niwaki

BOUND = 256  # tokens that `niwaki.decode` allows


@pytest.fixture(scope="module")
def network() -> Recogniser:
    return load()


@pytest.fixture(scope="module")
def listener(network: Recogniser, tmp_path_factory: pytest.TempPathFactory) -> Listener:
    return Listener.compiled(network, tmp_path_factory.mktemp("speech"))


@pytest.fixture(scope="module")
def guard() -> niwaki.LengthGuard:
    return niwaki.LengthGuard.load(GUARD)


@pytest.fixture(scope="module")
def spoken() -> list[Spoken]:
    strings = shipped_strings()
    return [strings.draw() for _ in range(60)]


def test_recurrent_layers_are_pruned_and_found(listener: Listener) -> None:
    assert WEIGHTS.stat().st_size < 1_000_000
    layers = [*listener.encoder.bundle.layers, *listener.decoder.bundle.layers]
    recurrent = [one for one in layers if one.name.split(".")[0] in ("lower", "upper", "cell")]
    assert len(recurrent) == 6
    weights, kept = (sum(getattr(one, key) for one in recurrent) for key in ("weights", "kept"))
    assert weights / kept > 3.8
    # What reads the embedding is so small that blocks save no time.
    assert sum(one.scheme.startswith("block") for one in recurrent) >= 5


@pytest.mark.parametrize("beams", [1, 4])
def test_writes_what_pytorch_writes(
    beams: int, network: Recogniser, listener: Listener, spoken: list[Spoken]
) -> None:
    for one in spoken[:20]:
        with torch.no_grad():
            encoded = network.encoder(*map(torch.from_numpy, inputs(one.samples)))

        def step(token: Tensor, found: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
            scores, after = network.decoder(token, *encoded, *found)  # noqa: B023
            return scores, (after,)

        found = (torch.zeros(1, HIDDEN),)
        best, *_ = plain_search(step, found, end=MARK, beams=beams, power=1.0, limit=BOUND)
        heard = listener.hear(one.samples, beams)
        assert heard.tokens == best.tokens[1:]
        assert heard.score == pytest.approx(best.score, abs=1e-3)


def test_hears_what_is_said(
    listener: Listener, guard: niwaki.LengthGuard, spoken: list[Spoken]
) -> None:
    said = [one.digits for one in spoken]
    free = [listener.hear(one.samples) for one in spoken]
    guarded = [listener.hear(one.samples, guard=guard) for one in spoken]
    assert error_rate([one.tokens for one in free], said) < 0.3
    assert guarded == free
    assert {one.ending for one in free} == {"end"}


def test_the_guard_tells_how_many_digits_there_are(
    listener: Listener, guard: niwaki.LengthGuard, spoken: list[Spoken]
) -> None:
    assert guessed(listener, spoken, guard) > 0.75


def test_a_guard_is_fitted_in_the_same_way(
    network: Recogniser, listener: Listener, spoken: list[Spoken], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train_recogniser.GUARD_STRINGS", 150)
    assert guessed(listener, spoken, fit_guard(network, shipped_strings(seed=1))) > 0.75


def test_tables(listener: Listener, guard: niwaki.LengthGuard, spoken: list[Spoken]) -> None:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(in_domain(listener, spoken[:4], guard))
        console.print(out_of_domain(listener, spoken[:4], guard))
    printed = captured.get()
    assert re.search(r"greedy .* [\d.]+% .* 0.0% ", printed)
    assert all(name in printed for name in CHANGES)


def test_a_hum_runs_away_and_is_cut(
    listener: Listener, guard: niwaki.LengthGuard, spoken: list[Spoken]
) -> None:
    random = np.random.default_rng(0)
    endless = 0
    for one in spoken[:40]:
        samples = strange(one.samples, CHANGES["a humming voice"], random, SAMPLES)
        free, guarded = listener.hear(samples), listener.hear(samples, guard=guard)
        endless += free.ending == "bound"
        assert guarded.tokens == free.tokens[: len(guarded.tokens)]
        assert guarded.ending == ("cut" if free.ending == "bound" else "end")
        assert len(guarded.tokens) <= 2 * LONGEST
    assert endless > 2


def test_padding_changes_nothing(network: Recogniser, spoken: list[Spoken]) -> None:
    """Whatever stands behind a recording's end."""
    frames, length = map(torch.from_numpy, inputs(spoken[0].samples))
    other = frames.clone()
    other[:, int(length) :] = torch.randn(other[:, int(length) :].shape)
    short = frames[:, : -(-int(length) // STRIDE) * STRIDE]
    with torch.no_grad():
        states, _, absent = network.encoder(frames, length)
        again, _, _ = network.encoder(other, length)
        alone, _, _ = network.encoder(short, length)
    count = alone.shape[1]
    torch.testing.assert_close(states[:, : count - 1], again[:, : count - 1])
    torch.testing.assert_close(states[:, :count], alone)
    assert not states[:, count:].any()
    assert torch.isinf(absent).sum() == states.shape[1] - count


def test_phones_frame_by_frame(tmp_path: Path, spoken: list[Spoken]) -> None:
    """A pruned GRU that is run as a stream tells what it tells of whole recordings."""
    torch.manual_seed(0)
    network = random([8.0], hidden=64)[8.0]
    step = FrameStep(network).eval()
    bundle = niwaki.compile(
        step, step.example(), output=tmp_path / "net.niwaki", states=FRAME_STATES
    )
    heard, expected = Heard(), []
    for one in spoken[:3]:
        frames = log_mel(one.samples)
        with torch.no_grad():
            told = network(torch.from_numpy(frames)[None])[0].argmax(0).numpy()
        expected += list(told != phones(one, len(frames)))
        heard.add(bundle.load(), one)
    assert heard.wrong == expected
    assert len(heard.times) == len(expected)
    assert sum(expected) > 0
