"""Which code of a bundle this machine runs.

A bundle for several targets has a part for each: code, weights as that target reads them, and
records. They compute the same network.
"""

from __future__ import annotations

from collections.abc import Callable

from niwaki.errors import NiwakiError

from .bundle import Bundle
from .device import check_device
from .manifest import Manifest
from .self_check import best_part, identity_of, run_part


def chosen_part(bundle: Bundle, device: str | None) -> Bundle:
    """The part to run: of those that fit this machine the fastest that computes what it should.

    Without golden outputs it is that for several devices together, which somebody has asked for, or
    the first one that fits, in the order of targets.

    Raises:
        NiwakiError: none fits this machine and `device`, or none is right.
    """
    if len(bundle.parts) == 1 and bundle.golden is None:  # nothing to choose, nothing to ask of it
        check_device(bundle.manifest, str(bundle.path), device)
        return bundle.parts[0]
    fitting, reasons = [], []
    for part in bundle.parts:
        try:
            check_device(part.manifest, str(bundle.path), device)
            identity_of(part)  # there must be one
        except NiwakiError as error:
            reasons.append(error)
        else:
            fitting.append(part)
    if not fitting:
        if len(reasons) == 1:
            raise reasons[0]
        told = "; ".join(str(one).removeprefix(f"{bundle.path} ") for one in reasons)
        raise NiwakiError(f"{bundle.path} has no code for this machine: {told}")
    if bundle.golden is None:
        return next((part for part in fitting if part.stages), fitting[0])
    return best_part(bundle, fitting, bundle.golden, run_part)


def local_part(bundle: Bundle) -> Bundle:
    """The first part for this machine's CPU; without one the first, which says why it is not.

    Raises:
        NiwakiError: it is a network on several devices.
    """

    def fits(manifest: Manifest) -> bool:
        try:
            check_device(manifest, str(bundle.path), "local")
        except NiwakiError:
            return False
        return True

    return _first(bundle, fits)


def arm64_part(bundle: Bundle) -> Bundle:
    """The first part for a CPU of arm64; without one the first. Errors as `local_part`."""
    return _first(bundle, lambda one: "aarch64" in one.architecture and one.driver == "local")


def _first(bundle: Bundle, fits: Callable[[Manifest], bool]) -> Bundle:
    first, *others = bundle.parts
    found = next((part for part in (first, *others) if fits(part.manifest)), first)
    if found.stages:
        names = ", ".join(dict.fromkeys(stage.manifest.target for stage in found.stages))
        raise NiwakiError(
            f"{bundle.path}: what runs on several devices together is timed stage by stage, and is "
            f"not deployed: choose one target: {names}"
        )
    return bundle.for_target(found.manifest.target)
