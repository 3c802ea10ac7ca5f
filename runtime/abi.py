"""Whether a manifest describes the module beside it.

Inputs are made, and results are read, as the manifest says. One that says other shapes than the
module's would have memory read beyond a result's end. IREE notes what its function really takes and
gives:

    iree.abi.declaration: sync func @main(%input0: tensor<2x3xf32>) -> (%output0: tensor<2x3xf32>)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from niwaki.errors import NiwakiError
from niwaki.signature import TensorSpec

from .bundle import Bundle
from .lengths import networks
from .manifest import Manifest

# What IREE's errors become in Python.
LOADING_ERRORS = (RuntimeError, ValueError, LookupError)

_DECLARATION = "iree.abi.declaration"
_TENSOR = re.compile(r"tensor<((?:[\d?]+x)*)([a-z]+\d+)>")
# Their signs are the network's business: MLIR's integers have none.
_ELEMENTS = {
    "f32": ("float32",),
    "f16": ("float16",),
    "f64": ("float64",),
    **{f"i{bits}": (f"int{bits}", f"uint{bits}") for bits in (8, 16, 32, 64)},
    **{f"si{bits}": (f"int{bits}",) for bits in (8, 16, 32, 64)},
    **{f"ui{bits}": (f"uint{bits}",) for bits in (8, 16, 32, 64)},
    "i1": ("bool",),
}


def find_functions(bundle: Bundle, instance: Any) -> tuple[Any, dict[int, Any]]:
    """The bundle's module and its entry points, which take and give what the manifest says.

    They are by length; that of a bundle without lengths is 0.

    Args:
        instance: IREE's, in which the module is loaded.

    Raises:
        NiwakiError: IREE cannot read the module, or the manifest describes another one.
    """
    import iree.runtime as iree

    check_release(bundle.manifest, str(bundle.path))
    try:
        module = iree.VmModule.wrap_buffer(instance, bundle.module)
        found = networks(bundle.manifest)
        functions = {length: module.lookup_function(one.function) for length, one in found.items()}
    except LOADING_ERRORS as error:
        raise cannot_load(bundle, str(error)) from None
    for length, network in found.items():
        _check_function(bundle, network, functions[length])
    return module, functions


def _check_function(bundle: Bundle, network: Manifest, function: Any) -> None:
    """Refuse an entry point that is missing, or not what the manifest of its network says."""
    if function is None:
        raise cannot_load(bundle, f"it has no function '{network.function}'")
    declaration = function.reflection.get(_DECLARATION, "")
    inputs, _, outputs = declaration.partition(" -> ")
    for kind, specs, text in (
        ("input", network.signature.inputs, inputs),
        ("output", network.signature.outputs, outputs),
    ):
        _compare(kind, specs, text, str(bundle.path))


def check_signature(bundle: Bundle) -> None:
    """Refuse a bundle whose manifest describes another module. Errors as `find_functions`."""
    import iree.runtime as iree

    find_functions(bundle, iree.VmInstance())


def cannot_load(bundle: Bundle, reason: str) -> NiwakiError:
    """The error for a module that IREE does not take."""
    manifest, told = bundle.manifest, " ".join(reason.split())
    return NiwakiError(
        f"{bundle.path}: IREE {manifest.iree} cannot load the module that Niwaki "
        f"{manifest.niwaki} compiled ({told}); compile the model again"
    )


def check_release(manifest: Manifest, path: str) -> None:
    """Refuse a module of another release of IREE, whose meaning this one may not know.

    Raises:
        NiwakiError: the installed release is another one.
    """
    try:
        here = version("iree-base-runtime")
    except PackageNotFoundError:  # built from source, by someone who knows what they do
        return
    if here != manifest.iree:
        raise NiwakiError(
            f"{path} was compiled by IREE {manifest.iree}, and this environment has {here}: "
            f"install iree-base-runtime=={manifest.iree}, or compile the model again"
        )


def _compare(kind: str, specs: Sequence[TensorSpec], text: str, path: str) -> None:
    tensors = _TENSOR.findall(text)
    if len(tensors) != len(specs):
        raise NiwakiError(
            f"{path}: its manifest says {len(specs)} {kind}s, its module has {len(tensors)}; "
            "compile the model again"
        )
    for spec, (shape, element) in zip(specs, tensors, strict=True):
        is_shape = shape == "".join(f"{size}x" for size in spec.shape)
        if not is_shape or spec.dtype not in _ELEMENTS.get(element, ()):
            raise NiwakiError(
                f"{path}: its manifest says {kind} {spec}, its module {shape}{element}; "
                "compile the model again"
            )
