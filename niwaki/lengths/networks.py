"""The networks of a bundle for several lengths, imported, and what a length is of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from niwaki.errors import NiwakiError
from niwaki.frontend import Imported
from niwaki.padding import ZERO
from niwaki.records import Lengths
from niwaki.runtime.lengths import at_length
from niwaki.sources import Source

from .dimensions import find_dimensions
from .runners import running
from .trial import Trial
from .trial_inputs import trial_inputs


@dataclass(frozen=True)
class Networks:
    """Networks by length, the longest first; a network without lengths has length 0.

    Attributes:
        imported: as linalg on tensors.
        lengths: what a length is of them; without records of networks, which are not compiled yet.
    """

    imported: Mapping[int, Imported]
    lengths: Lengths = field(default_factory=Lengths)

    @property
    def longest(self) -> int:
        """The longest length."""
        return max(self.imported)

    def copies(self) -> Networks:
        """The same with copies of their modules, which passes use up."""
        copied = {
            length: replace(network, module=network.module.operation.clone())
            for length, network in self.imported.items()
        }
        return replace(self, imported=copied)


def import_networks(source: Source, lengths: Sequence[int], ctx: Any) -> Networks:
    """The networks for `lengths`, which ascend; without any, the network as it is.

    Raises:
        NiwakiError: a size is not as a length should be, or padding would change results.
    """
    if not lengths:
        return Networks({0: source.imported(ctx)})
    imported = {length: _imported(source, length, ctx) for length in reversed(lengths)}
    gaps = trial_lengths(lengths)
    # Without lengths between the compiled ones nothing is padded, and any other tells them apart.
    odd, padded = gaps[0] if gaps else (lengths[-1] + 1, lengths[-1])
    odd_network = _imported(source, odd, ctx)
    by_length = {**imported, odd: odd_network}
    inputs, outputs = find_dimensions({n: one.signature for n, one in by_length.items()})
    unpadded = Lengths(inputs, outputs, [ZERO for _ in inputs])
    if not gaps:
        return Networks(imported, unpadded)
    with _trial(source, by_length, unpadded, odd, padded) as trial:
        found = replace(unpadded, padding=trial.find())
    # PyTorch runs its own networks at once: the longest is tried, too.
    odd, padded = gaps[-1]
    if source.program is not None and len(gaps) > 1:
        by_length[odd] = replace(
            odd_network, signature=at_length(odd_network.signature, found, odd)
        )
        with _trial(source, by_length, found, odd, padded) as trial:
            trial.check(found.padding)
    return Networks(imported, found)


def _imported(source: Source, length: int, ctx: Any) -> Imported:
    """The network for one length.

    Raises:
        NiwakiError: it cannot be imported, or not for another length than that of its examples.
    """
    try:
        return source.at(length).imported(ctx)
    except NiwakiError as error:
        if source.example_length in (0, length):
            raise
        raise NiwakiError(f"for length {length}: {error}") from error


@contextmanager
def _trial(
    source: Source,
    networks: Mapping[int, Imported],
    lengths: Lengths,
    length: int,
    padded: int,
) -> Iterator[Trial]:
    """A trial of padding from one length to another."""
    network = networks[length]
    draws = trial_inputs(network.signature.inputs, lengths.inputs, length, network.examples)
    with ExitStack() as stack:
        short, long = (
            stack.enter_context(running(source.at(one), networks[one])) for one in (length, padded)
        )
        sizes = (lengths.inputs, lengths.outputs, length, padded)
        yield Trial(network.signature, *sizes, short, long, draws)


def trial_lengths(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Lengths that no network is compiled for, each with that of the network which takes it.

    32, 64 --> (21, 32), (53, 64)
    """
    found = []
    for before, length in zip([0, *lengths], lengths, strict=False):
        between = length - before - 1
        if between:
            found.append((length - (between + 2) // 3, length))
    return found
