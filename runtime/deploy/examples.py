"""Inputs for a run on a device, and the outputs that are right for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from niwaki.errors import NiwakiError
from niwaki.signature import flatten

from ..bundle import Bundle
from ..device import check_device
from ..emulate import Missing, emulator
from ..measure import random_inputs


@dataclass(frozen=True)
class Expected:
    """Right outputs, or none.

    Attributes:
        outputs: in the signature's order; none where nobody can compute them here.
        source: who says so, or why nobody does.
        slack: of golden ones, which the model computed that was compiled, how far each may be off
            besides; None where the same code computed them.
    """

    outputs: list[np.ndarray] | None
    source: str
    slack: list[float] | None = None


def example_inputs(bundle: Bundle) -> list[np.ndarray]:
    """The bundle's golden inputs, or random ones, the same each time."""
    own = bundle.golden
    return own.inputs if own else random_inputs(bundle.manifest.signature.inputs)


def expected_outputs(bundle: Bundle) -> Expected:
    """What `example_inputs` should give.

    Golden outputs, where the bundle has some; else this machine computes them, if it runs the
    bundle, or the emulator does.
    """
    if own := bundle.golden:
        return Expected(own.outputs, "the bundle's golden ones", own.slack)
    inputs = example_inputs(bundle)
    try:
        check_device(bundle.manifest, str(bundle.path), None)
        outputs, _ = flatten(bundle.load()(*inputs))
        return Expected(outputs, "this machine's")
    except NiwakiError as error:
        why = str(error)
    if "aarch64" not in bundle.manifest.architecture:
        return Expected(None, why)
    found = emulator(fetch=True)
    if isinstance(found, Missing):
        return Expected(None, found.reason)
    return Expected(
        found.run_bundle(bundle.path, inputs, bundle.length), "those of QEMU's emulator"
    )
