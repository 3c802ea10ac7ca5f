"""Niwaki: pruned neural networks, compiled so that they are fast.

The public names load their part on first use, so that `import niwaki` needs neither PyTorch nor
MLIR:

    bundle = niwaki.compile(model, example_inputs, output="net.niwaki")
    network = niwaki.load("net.niwaki")

    pruned = niwaki.prune(model, train_loader, scheme="pattern", rate=8, epochs=20)

    results = niwaki.search(space, train, evaluate, limits=[Limit("ms", 5, milliseconds)])

    decoded = niwaki.decode(encoder, decoder, frames, guard=niwaki.LengthGuard.load("guard"))
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .compiler import compile as compile
    from .errors import NiwakiError as NiwakiError
    from .pruning import prune as prune
    from .runtime.bundle import Bundle as Bundle
    from .runtime.decode import Decoded as Decoded
    from .runtime.decode import decode as decode
    from .runtime.length_guard import LengthGuard as LengthGuard
    from .runtime.network import Network as Network
    from .runtime.network import load as load
    from .studies.search import search as search
    from .time_limit.prune_within import prune_within as prune_within
    from .tuning.settings import Tuning as Tuning
    from .weights import load_weights as load_weights

if sys.platform == "win32":  # it has neither the signals nor the file locks that are used
    raise ImportError("Niwaki runs on Linux and macOS: on Windows, install it within WSL")

_HOME = {
    "Bundle": "niwaki.runtime.bundle",
    "Decoded": "niwaki.runtime.decode",
    "LengthGuard": "niwaki.runtime.length_guard",
    "Network": "niwaki.runtime.network",
    "NiwakiError": "niwaki.errors",
    "Tuning": "niwaki.tuning.settings",
    "compile": "niwaki.compiler",
    "decode": "niwaki.runtime.decode",
    "load": "niwaki.runtime.network",
    "load_weights": "niwaki.weights",
    "prune": "niwaki.pruning",
    "prune_within": "niwaki.time_limit.prune_within",
    "search": "niwaki.studies.search",
}

__all__ = [
    "Bundle",
    "Decoded",
    "LengthGuard",
    "Network",
    "NiwakiError",
    "Tuning",
    "compile",
    "decode",
    "load",
    "load_weights",
    "prune",
    "prune_within",
    "search",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("niwaki")
    if name not in _HOME:
        raise AttributeError(f"module 'niwaki' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted((*globals(), *_HOME))
