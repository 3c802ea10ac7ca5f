"""What the base install lacks: packages that are installed by name of an extra.

``pip install niwaki`` runs bundles. Whatever needs more asks for it here before it imports it, so
that a user reads one line with the remedy.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.util import find_spec

from niwaki.errors import NiwakiError


@dataclass(frozen=True)
class Extra:
    """Packages that are installed together.

    Attributes:
        purpose: what needs them: the beginning of a sentence.
        modules: what must be there to be imported.
        elsewhere: what to do on a machine that there are no packages for; empty where they are for
            all machines.
    """

    purpose: str
    modules: tuple[str, ...]
    elsewhere: str = ""


EXTRAS = {
    "compile": Extra(
        "compiling needs PyTorch and the compilers",
        ("torch", "torch_mlir", "iree.compiler", "onnx", "rich", "safetensors"),
        "compile on x86-64 Linux with --target, and copy the bundle here",
    ),
    "prune": Extra(
        "pruning needs PyTorch",
        ("torch", "onnx", "rich", "safetensors", "yaml"),
        "prune on x86-64 Linux, and copy the weights here",
    ),
    "report": Extra("reports need Jinja2 and Matplotlib", ("jinja2", "matplotlib")),
    "analysis": Extra("plots need Matplotlib", ("matplotlib",)),
    "tune": Extra("tuning needs Optuna", ("optuna",)),
    "ray": Extra("tuning on other machines needs Ray", ("ray",)),
}

# Systems and machines that PyTorch, torch-mlir and IREE's compiler are built for.
BUILT_FOR = {
    ("Linux", "x86_64"),
    ("Linux", "aarch64"),
    ("Darwin", "arm64"),
}


def require(name: str, purpose: str = "") -> None:
    """Check that the packages of extra `name` are installed.

    Args:
        purpose: what needs them, where that is not the extra's own purpose.

    Raises:
        NiwakiError: one is not; the message says how to install them or, where there are none for
            this machine, what to do instead.
    """
    if is_installed(name):
        return
    extra = EXTRAS[name]
    purpose = purpose or extra.purpose
    system, machine = platform.system(), platform.machine()
    if extra.elsewhere and (system, machine) not in BUILT_FOR:
        missing = f"and there are no packages of that for {machine} {system}"
        raise NiwakiError(f"{purpose}, {missing}: {extra.elsewhere}")
    raise NiwakiError(f"{purpose}: pip install 'niwaki[{name}]'")


def is_installed(name: str) -> bool:
    """Whether the packages of extra `name` are there."""
    return all(map(_is_there, EXTRAS[name].modules))


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # nor is the package that it is in
        return False
