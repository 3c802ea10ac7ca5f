"""How long a module takes on a target: compiled, and measured where it can be.

A machine's clock wanders. So a bundle is timed in turns with a reference, the dense network, and
takes such a share of the reference's time at first (`niwaki.runtime.beside`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from niwaki.compiler import compile
from niwaki.costs.observation import emulated
from niwaki.costs.oracle import Oracle
from niwaki.costs.price import EMULATE, MEASURE
from niwaki.runtime import beside
from niwaki.runtime.bundle import Bundle
from niwaki.temporary import temporary_folder

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
    with ExitStack() as stack:
        reference: Bundle | None = None
        first = 0.0

        def measured(model: Any) -> float:
            """Beside the first one that was asked for, at the clock of its first call."""
            nonlocal reference, first
            if reference is None:
                reference = compiled(model, stack.enter_context(temporary_folder()))
                first = beside.seconds_of(reference)
                return first
            with temporary_folder() as folder:
                return first * beside.share_of(compiled(model, folder), reference)

        yield measured
