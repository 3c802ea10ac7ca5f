"""Running `iree-compile`, as `iree.compiler` does, but so that it never outlives this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from niwaki.errors import NiwakiError
from niwaki.temporary import no_space
from niwaki.tool import run_tool

_FLAGS = (
    "--iree-input-type=auto",
    "--iree-vm-bytecode-module-output-format=flatbuffer-binary",
    "--mlir-print-op-on-diagnostic=false",
    # Checking its IR after each of some hundred passes takes IREE some 30 % of its time.
    "--verify=false",
)


class IreeRefused(Exception):
    """IREE could not compile a text; the message is its first error."""


def iree_compile(text: str, flags: Sequence[str], scratch: Path) -> bytes:
    """IREE's module for `text`.

    Args:
        scratch: folder for the linker's files.

    Raises:
        IreeRefused: it is wrong, or IREE failed.
        NiwakiError: there is no space for temporary files, or no compiler.
    """
    try:
        from iree.compiler.tools.binaries import find_tool
    except ImportError:
        raise NiwakiError("IREE's compiler is missing: install iree-base-compiler") from None
    command = [find_tool("iree-compile"), "-", *_FLAGS, *flags]
    done = run_tool(command, text.encode(), scratch)
    if done.returncode == 0:
        return done.stdout
    errors = done.stderr.decode(errors="replace")
    if "No space left on device" in errors:
        raise no_space()
    lines = errors.splitlines() or [f"exit status {done.returncode}"]
    raise IreeRefused(next((line for line in lines if "error:" in line), lines[0]).strip())
