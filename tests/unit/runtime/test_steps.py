"""Streams: a network carries its states from step to step."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import niwaki
from niwaki.errors import NiwakiError
from niwaki.runtime.arrays import aligned_empty
from niwaki.runtime.network import Network

SIZE = 7


class Stream(nn.Module):
    """A state that is computed, and one that is the input before, which the network returns."""

    def __init__(self) -> None:
        super().__init__()
        self.new, self.old = nn.Linear(SIZE, 5), nn.Linear(5, 5)

    def forward(self, frame: torch.Tensor, states: tuple[torch.Tensor, torch.Tensor]) -> Any:
        hidden, before = states
        hidden = torch.tanh(self.new(frame) + self.old(hidden))
        return hidden.sum(-1) + before.mean(-1), (hidden, frame)


STATES = {"states_0": "output_1_0", "states_1": "output_1_1"}
EXAMPLE = (torch.zeros(2, SIZE), (torch.zeros(2, 5), torch.zeros(2, SIZE)))


@pytest.fixture(scope="module")
def model() -> nn.Module:
    torch.manual_seed(3)
    return Stream().eval()


@pytest.fixture(scope="module")
def network(model: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Network:
    path = tmp_path_factory.mktemp("steps") / "net.niwaki"
    niwaki.compile(model, EXAMPLE, output=path, states=STATES)
    return niwaki.load(path)


def frames(seed: int, count: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, 2, SIZE)).astype(np.float32)


def expected(model: nn.Module, inputs: np.ndarray) -> list[np.ndarray]:
    states, found = EXAMPLE[1], []
    with torch.no_grad():
        for frame in inputs:
            result, states = model(torch.from_numpy(frame), states)
            found.append(result.numpy())
    return found


def stepped(network: Network, inputs: np.ndarray) -> list[np.ndarray]:
    state, found = network.initial_state(), []
    # One buffer for all frames, as from a microphone, which IREE reads where it lies.
    frame = aligned_empty(inputs.shape[1:], np.float32)
    for values in inputs:
        frame[...] = values
        result, state = network.step(frame, state)
        found.append(result)
    return found


def test_steps_are_those_of_the_model(model: nn.Module, network: Network) -> None:
    inputs = frames(0)
    np.testing.assert_allclose(stepped(network, inputs), expected(model, inputs), atol=1e-5)


def test_streams_run_side_by_side(model: nn.Module, network: Network) -> None:
    streams = [frames(seed, 40) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda inputs: stepped(network, inputs), streams))
    for results, inputs in zip(found, streams, strict=True):
        np.testing.assert_allclose(results, expected(model, inputs), atol=1e-5)


def test_streams_of_one_thread_take_turns(model: nn.Module, network: Network) -> None:
    streams = [frames(seed) for seed in (1, 2)]
    states = [network.initial_state() for _ in streams]
    found: list[list[np.ndarray]] = [[], []]
    for step in range(6):
        for number, inputs in enumerate(streams):
            result, _ = network.step(inputs[step], states[number])
            found[number].append(result)
    for results, inputs in zip(found, streams, strict=True):
        np.testing.assert_allclose(results, expected(model, inputs), atol=1e-5)


def test_a_copy_goes_on_alone(model: nn.Module, network: Network) -> None:
    one, other = frames(3), frames(4)
    state = network.initial_state()
    for frame in one[:3]:
        network.step(frame, state)
    fork = state.copy()
    results = [network.step(frame, state)[0] for frame in one[3:]]
    forked = [network.step(frame, fork)[0] for frame in other[3:]]
    np.testing.assert_allclose(results, expected(model, one)[3:], atol=1e-5)
    branch = np.concatenate([one[:3], other[3:]])
    np.testing.assert_allclose(forked, expected(model, branch)[3:], atol=1e-5)


def test_arrays_are_copies(network: Network) -> None:
    state, (first, *_) = network.initial_state(), frames(5)
    assert all((array == 0).all() for array in state.arrays().values())
    network.step(first, state)
    arrays = state.arrays()
    assert list(arrays) == list(STATES)
    np.testing.assert_array_equal(arrays["states_1"], first)
    arrays["states_1"][...] = 0
    np.testing.assert_array_equal(state.arrays()["states_1"], first)


def test_a_state_outlives_its_network(network: Network) -> None:
    with niwaki.load(network.bundle.path) as short:
        state = short.initial_state()
        short.step(frames(6)[0], state)
    # The same bundle, loaded again, goes on with it.
    network.step(frames(6)[1], state)
    assert np.isfinite(state.arrays()["states_0"]).all()


def test_two_threads_are_refused(network: Network) -> None:
    state, entered, leave = network.initial_state(), threading.Event(), threading.Event()

    def hold() -> None:
        state.acquire(network.bundle)
        entered.set()
        leave.wait()
        state.release()

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait()
    try:
        with pytest.raises(NiwakiError, match=r"two threads use one state of .*: give each"):
            network.step(frames(7)[0], state)
    finally:
        leave.set()
        thread.join()
    network.step(frames(7)[0], state)


def test_a_state_of_another_network_is_refused(network: Network, tmp_path: Path) -> None:
    torch.manual_seed(4)
    niwaki.compile(Stream().eval(), EXAMPLE, output=tmp_path / "other.niwaki", states=STATES)
    other = niwaki.load(tmp_path / "other.niwaki")
    with pytest.raises(NiwakiError, match=r"the state is one of .*other.niwaki: initial_state\(\)"):
        network.step(frames(8)[0], other.initial_state())


def test_what_a_step_takes(network: Network) -> None:
    state, frame = network.initial_state(), frames(9)[0]
    with pytest.raises(NiwakiError, match=r"takes the state last: initial_state\(\) makes one"):
        network.step(frame)
    with pytest.raises(NiwakiError, match=r"takes the state last"):
        network.step()
    with pytest.raises(NiwakiError, match=r"takes 1 array \(frame: 2x7xfloat32\) and the state"):
        network.step(frame, frame, state)
    with pytest.raises(NiwakiError, match=r"input 'frame' must be float32 of shape 2x7, got"):
        network.step(frame[:1], state)


def test_states_are_told_when_compiling(model: nn.Module, tmp_path: Path) -> None:
    for states, message in (
        ({"hidden": "output_1_0"}, r"no input 'hidden' to be a state: it has 'frame', 'states_0'"),
        ({"states_0": "next"}, r"no output 'next' to be a state: it has 'output_0', 'output_1_0'"),
        (
            {"states_0": "output_1_1"},
            r"input states_0: 2x5xfloat32 cannot be the state that output output_1_1: 2x7xfloat32 "
            r"gives: shape and dtype must be equal",
        ),
        (
            {"states_1": "output_1_1", "frame": "output_1_1"},
            "one output is named for two states: each state has its own",
        ),
        ("states_0", r"states is a dict by names"),
    ):
        with pytest.raises(NiwakiError, match=message):
            niwaki.compile(model, EXAMPLE, output=tmp_path / "net.niwaki", states=states)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_without_states(model: nn.Module, tmp_path: Path) -> None:
    niwaki.compile(model, EXAMPLE, output=tmp_path / "net.niwaki")
    network = niwaki.load(tmp_path / "net.niwaki")
    for call in (network.initial_state, lambda: network.step(frames(1)[0])):
        with pytest.raises(NiwakiError, match=r"net.niwaki has no states: compile it with --state"):
            call()


class Cache(nn.Module):
    """Rows that are written one after the other, as keys of attention are, and their sum."""

    def forward(
        self, row: torch.Tensor, at: torch.Tensor, rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        rows = torch.index_put(rows, (at,), row)
        return rows.sum(0), rows


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Network:
    path = tmp_path_factory.mktemp("cache") / "net.niwaki"
    example = (torch.zeros(1, 300), torch.zeros(1, dtype=torch.int64), torch.zeros(9, 300))
    niwaki.compile(Cache().eval(), example, output=path, states={"rows": "output_1"})
    return niwaki.load(path)


def test_a_cache_is_updated_where_it_lies(cache: Network) -> None:
    state, rows = cache.initial_state(), np.zeros((9, 300), np.float32)
    places = set()
    for step, at in enumerate([3, 0, 8, 3]):
        row = np.full((1, 300), step + 1, np.float32)
        rows[at] = row
        total, _ = cache.step(row, np.array([at]), state)
        np.testing.assert_allclose(total, rows.sum(0))
        np.testing.assert_array_equal(state.arrays()["rows"], rows)
        assert state.lane is not None
        places.add(state.lane.array(state.values[0], cache.signature.inputs[2]).ctypes.data)
    assert len(places) == 1
    fork = state.copy()
    cache.step(np.zeros((1, 300), np.float32), np.array([3]), fork)
    np.testing.assert_array_equal(state.arrays()["rows"], rows)


def test_a_plain_call_changes_no_state_of_the_callers(cache: Network) -> None:
    rows = aligned_empty((9, 300), np.float32)
    rows[...] = 0
    results = [cache(np.ones((1, 300), np.float32), np.array([at]), rows)[1] for at in range(9)]
    assert (rows == 0).all()
    for at, new in enumerate(results):  # they stay, whatever later calls use
        np.testing.assert_array_equal(new, np.eye(9, dtype=np.float32)[at][:, None].repeat(300, 1))


class Twice(nn.Module):
    """The next state is what is returned, too."""

    def forward(self, frame: torch.Tensor, hidden: torch.Tensor) -> Any:
        hidden = torch.tanh(frame + hidden)
        return hidden, hidden


def test_a_state_that_is_also_returned_is_not_the_callers(tmp_path: Path) -> None:
    example = (torch.zeros(3), torch.zeros(3))
    path = tmp_path / "net.niwaki"
    niwaki.compile(Twice().eval(), example, output=path, states={"hidden": "output_1"})
    network, expected = niwaki.load(path), np.zeros(3, np.float32)
    state = network.initial_state()
    for step in range(3):
        frame = np.full(3, step / 2, np.float32)
        expected = np.tanh(frame + expected)
        result, _ = network.step(frame, state)
        np.testing.assert_allclose(result, expected, atol=1e-6)
        result[...] = 7


@pytest.mark.requires_vulkan
def test_streams_on_gpus(model: nn.Module, tmp_path: Path) -> None:
    path, inputs = tmp_path / "net.niwaki", frames(10)
    niwaki.compile(model, EXAMPLE, output=path, target="vulkan", states=STATES)
    with niwaki.load(path) as network:
        np.testing.assert_allclose(stepped(network, inputs), expected(model, inputs), atol=1e-5)
