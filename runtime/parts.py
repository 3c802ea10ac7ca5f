"""Which code of a bundle this machine runs.

A bundle for several targets has a part for each: code, weights as that target reads them, and
records. They compute the same network.
"""

from __future__ import annotations

from niwaki.errors import NiwakiError

from .bundle import Bundle
from .device import check_device
from .self_check import best_part, run_part


def chosen_part(bundle: Bundle, device: str | None) -> Bundle:
    """The part to run: of those that fit this machine the fastest that computes what it should.

    Without golden outputs it is the first one that fits, in the order of targets.

    Raises:
        NiwakiError: none fits this machine and `device`, or none is right.
    """
    fitting, reasons = [], []
    for part in bundle.parts:
        try:
            check_device(part.manifest, str(bundle.path), device)
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
        return fitting[0]
    return best_part(bundle, fitting, bundle.golden, run_part)
