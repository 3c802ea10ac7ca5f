"""The last stage: IREE schedules the lowered network and generates its code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from niwaki.device_features import device_needs
from niwaki.dispatch_order import Dispatch, read_order
from niwaki.elements import F32, Element
from niwaki.errors import CompilerBug
from niwaki.kept_input import kept_input
from niwaki.kernel_bodies import Body, put_bodies, take_bodies
from niwaki.runtime.iree_compile import IreeRefused, iree_compile
from niwaki.targets import Target
from niwaki.temporary import temporary_folder

# IREE makes f32 of all f64 unless told otherwise. Torch-mlir leaves scalars of f64, which may be.
_DOUBLES = re.compile(r"tensor<(\d+x)*f64>")
# Where IREE knows which buffers kernels have, and has not looked at their code.
_SCHEDULED = "executable-sources"
_SCHEDULE = (f"--compile-to={_SCHEDULED}", "--mlir-print-debuginfo", "--mlir-print-local-scope")
_GENERATE = (f"--compile-from={_SCHEDULED}",)
# Where it has shaders, and knows how many workgroups of them there are.
_TRANSLATED = "executable-targets"
_TRANSLATE = (*_GENERATE, f"--compile-to={_TRANSLATED}")
_ASSEMBLE = (f"--compile-from={_TRANSLATED}",)


class Code(NamedTuple):
    """What code generation gives.

    Attributes:
        module: IREE's.
        orders: of each function, the kernels that it runs in a call, in order.
        needs: features and limits of Vulkan that a device must have.
    """

    module: bytes
    orders: dict[str, list[Dispatch]]
    needs: tuple[str, ...]


def iree_input(module: Any) -> str:
    """The text of a lowered module (an `ir.Operation`).

    With locations, which tell the layer of each kernel that IREE runs, and nothing that stands
    apart from where it is used, so that parts of the text mean the same elsewhere.
    """
    return str(module.get_asm(assume_verified=True, enable_debug_info=True, use_local_scope=True))


def generate_code(
    text: str, target: Target, element: Element = F32, extra_flags: Sequence[str] = ()
) -> Code:
    """IREE's module for `text`, and what it tells of its kernels.

    Layers are of type `element`.

    Must be called in an MLIR context.

    Raises:
        CompilerBug: IREE refuses it; the message names a file with the input and the command.
        NiwakiError: there is no space for temporary files.
    """
    flags = [*target.flags(element), *extra_flags]
    if _DOUBLES.search(text):
        flags.append("--iree-input-demote-f64-to-f32=false")
    try:
        with temporary_folder() as folder:
            scheduled, bodies = _schedule(text, flags, folder)
            whole = put_bodies(scheduled, bodies)
            if target.backend == "cpu":
                module = iree_compile(whole, [*flags, *_GENERATE], folder)
                return Code(module, read_order(scheduled), ())
            translated = iree_compile(whole, [*flags, *_TRANSLATE], folder).decode()
            module = iree_compile(translated, [*flags, *_ASSEMBLE], folder)
            return Code(module, read_order(scheduled), device_needs(scheduled, translated, target))
    except IreeRefused as error:
        told = kept_input(text, f"iree-compile {' '.join(flags)} {{file}} -o /dev/null")
        raise CompilerBug(f"IREE could not compile the lowered network: {error}; {told}") from error


def _schedule(text: str, flags: Sequence[str], folder: Path) -> tuple[str, dict[str, Body]]:
    """IREE's module with a schedule, and the bodies of kernels that are to come back into it."""
    network, bodies = take_bodies(text)
    flags = [*flags, *_SCHEDULE]
    try:
        return iree_compile(network, flags, folder).decode(), bodies
    except IreeRefused:
        # IREE runs what depends on constants alone, and our kernels may be among it.
        return iree_compile(text, flags, folder).decode(), {}
