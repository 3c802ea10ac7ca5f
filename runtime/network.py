"""Running a compiled network."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from niwaki.arguments import check_kind, check_whole
from niwaki.errors import NiwakiError
from niwaki.signature import Signature, unflatten

from .arguments import bind
from .bundle import Bundle, open_bundle
from .engine import Engine
from .fitting import Call, Fitting
from .lane import Lane
from .lost_devices import survive
from .parts import chosen_part
from .placement import polite
from .state import State, check_states, zeros
from .steps import Steps
from .together import TogetherLane
from .turns import Turns

T = TypeVar("T")


def load(
    path: str | os.PathLike[str],
    threads: int = 1,
    device: str | None = None,
    share_weights: bool = False,
) -> Network:
    """Load the bundle at `path`, ready to run.

    Args:
        path: a bundle, as `niwaki.compile` writes it.
        threads: CPU threads for one call, at most: a network with so little work that others would
            only cost time stays on the caller's. GPUs ignore it.
        device: ``local`` (CPU), ``vulkan``, or ``together`` for all devices that the bundle was
            placed on; the default is what it was compiled for.
        share_weights: leave the weights of CPUs in the file, mapped, so that all processes which
            load it have them in memory once. Without it large ones are copied into huge pages,
            where calls take up to a twentieth less.

    Raises:
        NiwakiError: the file is no intact bundle, or not one for this machine or device.
    """
    return open_bundle(path).load(threads, device, share_weights)


class Network:
    """A compiled network: call it with numpy arrays.

    Many threads may call one network. With one CPU thread a call, calls run side by side, up to one
    for each core; otherwise they take turns.

    It can be closed, by `close` or at the end of a ``with`` block. It can be pickled: what arrives
    loads the same file again.

    Attributes:
        bundle: where it comes from.
        part: that for the target whose code runs.
        threads: CPU threads for one call, at most.
        device: ``local``, ``vulkan`` or ``together``.
    """

    def __init__(
        self,
        bundle: Bundle,
        threads: int = 1,
        device: str | None = None,
        share_weights: bool = False,
    ) -> None:
        check_whole("threads", threads, 1)
        check_kind("share_weights", share_weights, bool, "True or False")
        self._open(bundle, chosen_part(bundle, device), threads, device, share_weights)

    @classmethod
    def of_part(cls, part: Bundle, threads: int = 1) -> Network:
        """A bundle for one target, which fits this machine, without checking what it computes."""
        network = cls.__new__(cls)
        network._open(part, part, threads, None, share_weights=False)
        return network

    def _open(
        self,
        whole: Bundle,
        bundle: Bundle,
        threads: int,
        device: str | None,
        share_weights: bool,
    ) -> None:
        self.bundle, self.part = whole, bundle
        # Where it arrives when it is pickled another part may be the fastest.
        self._asked = device, share_weights
        self.threads = int(threads)
        self.device = bundle.manifest.driver
        self._fitting = Fitting.of(str(bundle.path), bundle.manifest) if bundle.lengths else None
        self._steps = Steps.of(bundle.manifest.signature, bundle.manifest.states)
        engine = Engine(bundle, self.threads, share_weights)
        self._has_workers = self.device == "local" and engine.threads > 1
        side_by_side = self.device == "local" and engine.threads == 1
        self._turns = Turns((os.cpu_count() or 1) if side_by_side else 1)
        engine.idle.append(self._survive(engine.create_lane))
        self._engine: Engine | None = engine

    @property
    def signature(self) -> Signature:
        """Inputs and outputs, and how they nest."""
        return self.bundle.manifest.signature

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The model's outputs, as numpy arrays nested as the model nests them.

        Arguments nest as they did when the model was compiled, or are its flat tensors, all
        positional. Arrays that begin at a multiple of 64 bytes (PyTorch's do; `aligned_empty` makes
        them) are read where they lie, others are copied first. They must not change during the
        call. Outputs are the caller's to keep and change.

        A network of several lengths takes inputs of any length up to its longest, runs the shortest
        network that they fit, and gives outputs of their length.

        Raises:
            NiwakiError: an input is missing, or has the wrong shape or dtype (nothing is cast), or
            is too long; the network is closed; or its weights stay in the file, and somebody has
            written into it.
        """
        engine, fitting = self._open_engine(), self._fitting
        call = fitting.bind(args, kwargs) if fitting else Call(bind(self.signature, args, kwargs))
        with self._turns:
            engine.check()
            with polite() if self._has_workers else nullcontext():
                outputs = self._survive(lambda: self._run(engine, call))
            engine.check()
        if fitting:
            outputs = fitting.cut(call, outputs)
        return unflatten(self.signature.output_tree, outputs)

    def initial_state(self) -> State:
        """A new stream: states of zeros, for `step`.

        Raises:
            NiwakiError: the network has no states, or is closed.
        """
        self._open_engine()
        return zeros(self.bundle)

    def step(self, *arguments: Any) -> tuple[Any, State]:
        """The network's outputs for the next inputs of a stream, and the stream's state.

        Arguments are the arrays of all inputs that are no states, in order, and then the state,
        which is advanced in place and stays with the network's device. Outputs are those that are
        no states: an array, or a tuple of several. One stream is one thread's at a time; many
        streams may step side by side.

        Raises:
            NiwakiError: as a call does; or the network has no states; or the state is missing, of
            another network, or used by another thread.
        """
        engine, state = self._open_engine(), arguments[-1] if arguments else None
        check_states(self.bundle)
        if not isinstance(state, State):
            path = self.bundle.path
            raise NiwakiError(f"a step of {path} takes the state last: initial_state() makes one")
        bound = self._steps.bind(arguments[:-1])
        state.acquire(self.bundle)
        try:
            with self._turns:
                engine.check()
                with polite() if self._has_workers else nullcontext():
                    results = self._survive(lambda: self._step(engine, bound, state))
                engine.check()
        finally:
            state.release()
        return results, state

    def close(self) -> None:
        """Give back threads and memory; calls that are running end as usual, new ones are refused.

        Outputs stay valid. Closing twice does nothing.
        """
        self._engine = None

    def __enter__(self) -> Network:
        self._open_engine()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        self._open_engine()
        return Network, (self.bundle, self.threads, *self._asked)

    def _open_engine(self) -> Engine:
        engine = self._engine
        if engine is None:
            raise NiwakiError(f"the network {self.bundle.path} is closed: load it again")
        return engine

    def _survive(self, attempt: Callable[[], T]) -> T:
        return attempt() if self.device == "local" else survive(attempt, str(self.bundle.path))

    def _run(self, engine: Engine, call: Call) -> list[np.ndarray]:
        lane = engine.idle_lane()
        outputs = lane(call.arrays, call.network)
        # A lane whose call failed does not get here: the next call finds or makes a clean one.
        engine.idle.append(lane)
        return outputs

    def _step(self, engine: Engine, bound: list[Any], state: State) -> Any:
        lane = self._lane_of(engine, state)
        results = self._steps.advance(lane, bound, state)
        engine.idle.append(lane)
        return results

    def _lane_of(self, engine: Engine, state: State) -> Lane | TogetherLane:
        """The lane that has a state, if it is idle, else any."""
        if state.lane is not None:
            try:
                engine.idle.remove(state.lane)
            except ValueError:
                pass  # it is another stream's for now
            else:
                return state.lane
        return engine.idle_lane()

    def __repr__(self) -> str:
        inputs = ", ".join(map(str, self.signature.inputs))
        outputs = ", ".join(map(str, self.signature.outputs))
        return f"<Network {self.bundle.path}: ({inputs}) -> ({outputs})>"
