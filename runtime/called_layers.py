"""The layers of a network, each once: a recurrent one has a record for each step."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

from niwaki.records import LayerRecord

from .manifest import Manifest


@dataclass(frozen=True)
class CalledLayer:
    """A layer, and how often it is called.

    Attributes:
        record: that of its calls, with the times of all of them.
        calls: how many there are.
    """

    record: LayerRecord
    calls: int

    @property
    def name(self) -> str:
        """Module path, with the number of calls where there are several."""
        return named(self.record.name, self.calls)


def called_layers(manifest: Manifest) -> list[CalledLayer]:
    """The layers in the order of their first calls."""
    found: dict[Hashable, CalledLayer] = {}
    for record in manifest.layers:
        first = found.get(identity(record))
        if first is None:
            found[identity(record)] = CalledLayer(record, 1)
            continue
        together = replace(
            first.record,
            estimated_ns=first.record.estimated_ns + record.estimated_ns,
            measured_ns=first.record.measured_ns + record.measured_ns,
        )
        found[identity(record)] = CalledLayer(together, first.calls + 1)
    return list(found.values())


def identity(record: LayerRecord) -> Hashable:
    """What the calls of a layer have in common."""
    what = (record.name, record.op, record.scheme, record.kernel, record.element)
    return (*what, record.kept, record.weights, record.packed_bytes, *record.sample)


def named(name: str, calls: int) -> str:
    """A name for a row of `calls` calls."""
    return name if calls == 1 else f"{name} ({calls}x)"
