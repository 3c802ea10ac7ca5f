"""How long a module takes on a target: compiled, and measured where it can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from niwaki.compiler import compile
from niwaki.costs.observation import emulated
from niwaki.costs.oracle import Oracle
from niwaki.costs.price import EMULATE, MEASURE
from niwaki.runtime.bundle import Bundle
from niwaki.temporary import temporary_folder

from .clock import steady_clock

# A module and its example inputs to seconds of a call.
Timer = Callable[[Any], float]


@contextmanager
def timer(example: Any, target: str, source: str, precision: str, costs: Oracle) -> Iterator[Timer]:
    """What times modules of one network, while the block runs.

    Args:
        example: inputs of the network.
        source: of times, as of `niwaki.costs.price.priced`.
        costs: of the network, which tell what is no layer.
    """

    def compiled(model: Any, folder: Path) -> Bundle:
        path = folder / "net.niwaki"
        return compile(model, example, target=target, precision=precision, output=path)

    def told(model: Any) -> float:
        with temporary_folder() as folder:
            bundle = compiled(model, folder)
            if source == EMULATE:
                return emulated(bundle).seconds
            estimated = sum(layer.estimated_ns for layer in bundle.manifest.layers)
            return sum(costs.others.values()) + 1e-9 * estimated

    if source != MEASURE:
        yield told
        return
    with steady_clock() as clock:

        def measured(model: Any) -> float:
            with temporary_folder() as folder:
                return clock(compiled(model, folder))

        yield measured
